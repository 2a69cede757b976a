/** Reads the seed where it is at hand: its blocks, and the calls of Socket.IO's API in them. */
import { createHash } from "node:crypto"

/** A block as it stands in the seed. */
export interface SeedBlock {
  readonly heading: string
  readonly ordinal: number
  readonly sha256: string
  readonly text: string
}

const withoutLink = (title: string): string => title.replace(/\[\]\(http.*?\)$/, "").trim()

/** The js and ts blocks of a Markdown text. */
export const blocksOf = (markdown: string): ReadonlyArray<SeedBlock> => {
  const blocks: Array<SeedBlock> = []
  const ordinals = new Map<string, number>()
  let path: ReadonlyArray<{ readonly level: number; readonly title: string }> = []
  let open: { readonly language: string; readonly lines: Array<string> } | undefined
  for (const line of markdown.split("\n")) {
    if (open !== undefined) {
      if (!/^\s*```\s*$/.test(line)) {
        open.lines.push(line)
        continue
      }
      if (open.language === "js" || open.language === "ts") {
        const heading = path.map(({ title }) => title).join(" > ")
        const ordinal = (ordinals.get(heading) ?? 0) + 1
        ordinals.set(heading, ordinal)
        const text = open.lines.join("\n").trim()
        blocks.push({ heading, ordinal, text, sha256: createHash("sha256").update(text).digest("hex") })
      }
      open = undefined
      continue
    }
    const fence = /^\s*(?:- )?```(\w*)\s*$/.exec(line)
    const title = /^(#{1,6}) (.*)$/.exec(line)
    if (fence !== null) open = { language: fence[1]!, lines: [] }
    else if (title !== null) {
      const level = title[1]!.length
      path = [...path.filter((above) => above.level < level), { level, title: withoutLink(title[2]!) }]
    }
  }
  return blocks
}

const methods = [
  "adapter attachApp close connect createProxyServer disconnect disconnectSockets emit fetchSockets in join leave listen of off",
  "offAny on onAny once prependAny removeAllListeners serverSideEmit socketsJoin socketsLeave timeout to unshift use"
]
const getters = "broadcast clientsCount generateId local rooms sids volatile"

const call = new RegExp(
  [
    String.raw`\.(?<method>${methods.join(" ").replaceAll(" ", "|")})\(\s*(?:["'\x60](?<name>[^"'\x60]*)["'\x60])?`,
    String.raw`\.(?<getter>${getters.replaceAll(" ", "|")})\b`,
    String.raw`\bnew (?<made>Server|WebSocketServer)\(`,
    String.raw`(?<![.\w])(?<client>io|connect)\(`
  ].join("|"),
  "g"
)

/** `location` and the like are assigned by the test's surroundings; addresses differ, names of events and rooms do not. */
const isAddress = (name: string): boolean => /^(?:https?|wss?):|^\/?$/.test(name)

/**
 * The calls of Socket.IO's API in a program, in their order: methods with the name of the event, room or namespace, flags, and what
 * is made. Comments do not count.
 */
export const callsOf = (program: string): ReadonlyArray<string> => {
  const code = program
    .replaceAll(/\/\*[\s\S]*?\*\//g, "")
    .replaceAll(/(^|\s)\/\/.*$/gm, "$1")
    // What Vite makes of imports.
    .replaceAll(/\(0\s*,\s*__(?:vi|vite_ssr)_import_\d+__\.(\w+)\)/g, "$1")
    .replaceAll(/__(?:vi|vite_ssr)_import_\d+__\.(\w+)/g, "$1")
  return Array.from(code.matchAll(call), ({ groups }) => {
    const { method, name, getter, made, client } = groups!
    if (client !== undefined) return "io()"
    if (made !== undefined) return `new ${made}()`
    if (getter !== undefined) return getter
    return `${method}(${name === undefined || isAddress(name) ? "" : name})`
  })
}

/** The first of the calls that the others do not have in that order. A call without a name is in one with a name. */
export const missing = (calls: ReadonlyArray<string>, others: ReadonlyArray<string>): string | undefined => {
  let at = 0
  for (const each of calls) {
    const start = each.endsWith("()") ? each.slice(0, -1) : undefined
    const found = others
      .slice(at)
      .findIndex((other) => other === each || (start !== undefined && other.startsWith(start)))
    if (found === -1) return each
    at += found + 1
  }
  return undefined
}
