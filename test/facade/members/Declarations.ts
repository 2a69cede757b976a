/** Which members the official declarations keep to themselves: `private`, `protected`, or marked `@private` or `@internal`. */
import { readFileSync } from "node:fs"
import { join } from "node:path"

const modules = join(import.meta.dirname, "../../../node_modules")

const strict = "socket.io/dist/typed-events.d.ts"
const emitter = "socket.io-client/node_modules/@socket.io/component-emitter/lib/cjs/index.d.ts"

/** The files that declare each kind of object. */
const files: Readonly<Record<string, ReadonlyArray<string>>> = {
  Server: ["socket.io/dist/index.d.ts", strict],
  Namespace: ["socket.io/dist/namespace.d.ts", strict],
  ParentNamespace: ["socket.io/dist/parent-namespace.d.ts", "socket.io/dist/namespace.d.ts", strict],
  Socket: ["socket.io/dist/socket.d.ts", strict],
  BroadcastOperator: ["socket.io/dist/broadcast-operator.d.ts"],
  RemoteSocket: ["socket.io/dist/socket.d.ts", strict],
  Client: ["socket.io/dist/client.d.ts"],
  Adapter: ["socket.io-adapter/dist/in-memory-adapter.d.ts"],
  "engine: Server": ["engine.io/build/server.d.ts"],
  "engine: Socket": ["engine.io/build/socket.d.ts"],
  "client: Socket": ["socket.io-client/build/cjs/socket.d.ts", emitter],
  "client: Manager": ["socket.io-client/build/cjs/manager.d.ts", emitter],
  "client: engine": ["engine.io-client/build/cjs/socket.d.ts", emitter]
}

const modifiers = "(?:(?:static|readonly|get|set|abstract|async)\\s+)*"
const hidden = new RegExp(`^\\s*(?:private|protected)\\s+${modifiers}(\\w+)`, "gm")
const marked = new RegExp(
  `@(?:private|internal)(?:(?!\\*/)[\\s\\S])*\\*/\\s*(?:private\\s+|protected\\s+)?${modifiers}(\\w+)`,
  "g"
)

const read = (file: string): string => {
  try {
    return readFileSync(join(modules, file), "utf8")
  } catch {
    return ""
  }
}

/** What the declarations of a kind of object say. */
export interface Declared {
  /** Not for programs. */
  readonly internal: ReadonlySet<string>
  /** Whether a name occurs at all: what does not is state of the running object that nobody declared. */
  mentions(name: string): boolean
}

/** Reads the declarations of a kind of object. */
export const declared = (kind: string): Declared => {
  const text = (files[kind] ?? []).map(read).join("\n")
  const internal = new Set<string>()
  for (const pattern of [hidden, marked]) for (const [, name] of text.matchAll(pattern)) internal.add(name!)
  return { internal, mentions: (name) => new RegExp(`\\b${name}\\b`).test(text) }
}
