/** The import statements of a source file, and the calls that only some folders may make, read from its syntax tree. */
import { parseSync } from "vite"

/** One import, re-export, dynamic import or import type. */
export interface ImportEdge {
  readonly specifier: string
  /** Whether nothing of it is left when types are stripped. */
  readonly typeOnly: boolean
}

/** What the rules look at. */
export interface Facts {
  readonly imports: ReadonlyArray<ImportEdge>
  /** Calls of timers, of the wall clock and of `Math.random`, as written. */
  readonly ambientCalls: ReadonlyArray<string>
}

type Node = Readonly<Record<string, unknown>> & { readonly type: string }

const isNode = (value: unknown): value is Node =>
  typeof value === "object" && value !== null && "type" in value && typeof value.type === "string"

const text = (value: unknown): string | undefined =>
  isNode(value) && value.type === "Literal" && typeof value["value"] === "string" ? value["value"] : undefined

const nodes = (value: unknown): ReadonlyArray<Node> => (Array.isArray(value) ? value.filter(isNode) : [])

const ambient = new Set([
  "setTimeout",
  "setInterval",
  "setImmediate",
  "queueMicrotask",
  "Date.now",
  "performance.now",
  "Math.random"
])

const nameOf = (value: unknown): string => {
  if (!isNode(value)) return ""
  if (value.type === "Identifier") return String(value["name"])
  if (value.type !== "MemberExpression") return ""
  const property = value["computed"] === true ? (text(value["property"]) ?? "") : nameOf(value["property"])
  const object = nameOf(value["object"])
  return object === "globalThis" || object === "window" ? property : `${object}.${property}`
}

const importOf = (node: Node): ImportEdge | undefined => {
  switch (node.type) {
    case "ImportDeclaration": {
      const specifier = text(node["source"])
      if (specifier === undefined) return undefined
      const names = nodes(node["specifiers"])
      return {
        specifier,
        typeOnly: node["importKind"] === "type" || (names.length > 0 && names.every((n) => n["importKind"] === "type"))
      }
    }
    case "ExportNamedDeclaration": {
      const specifier = text(node["source"])
      if (specifier === undefined) return undefined
      const names = nodes(node["specifiers"])
      return {
        specifier,
        typeOnly: node["exportKind"] === "type" || (names.length > 0 && names.every((n) => n["exportKind"] === "type"))
      }
    }
    case "ExportAllDeclaration": {
      const specifier = text(node["source"])
      return specifier === undefined ? undefined : { specifier, typeOnly: node["exportKind"] === "type" }
    }
    case "ImportExpression":
      // A computed specifier cannot be checked, so it counts as one that no rule allows.
      return { specifier: text(node["source"]) ?? "<computed>", typeOnly: false }
    case "TSImportType": {
      const argument = text(node["source"]) ?? text(node["argument"])
      return argument === undefined ? undefined : { specifier: argument, typeOnly: true }
    }
    case "CallExpression": {
      if (nameOf(node["callee"]) !== "require") return undefined
      const specifier = text(nodes(node["arguments"])[0])
      return { specifier: specifier ?? "<computed>", typeOnly: false }
    }
    default:
      return undefined
  }
}

/** Reads one TypeScript module. Throws when it does not parse, so that no file escapes the rules by a syntax error. */
export const read = (path: string, source: string): Facts => {
  const result = parseSync(path, source, { lang: "ts", sourceType: "module" })
  const failure = result.errors[0]
  if (failure !== undefined) throw new Error(`${path}: ${failure.message}`)
  const imports: Array<ImportEdge> = []
  const ambientCalls: Array<string> = []
  const pending: Array<unknown> = [result.program]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (Array.isArray(next)) {
      for (const child of next) if (child !== null && child !== undefined) pending.push(child)
    } else if (isNode(next)) {
      const edge = importOf(next)
      if (edge !== undefined) imports.push(edge)
      if (next.type === "CallExpression" || next.type === "NewExpression") {
        const name = nameOf(next["callee"])
        if (ambient.has(name)) ambientCalls.push(name)
        if (next.type === "NewExpression" && name === "Date" && nodes(next["arguments"]).length === 0) {
          ambientCalls.push("new Date")
        }
      }
      for (const child of Object.values(next)) if (typeof child === "object" && child !== null) pending.push(child)
    }
  }
  return { imports, ambientCalls }
}
