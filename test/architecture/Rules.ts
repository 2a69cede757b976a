/**
 * The table "Allowed imports" of the design, as data, and the check of a set of source files against it.
 *
 * Paths are relative to `src/` with forward slashes.
 */
import { posix } from "node:path"
import { type ImportEdge, read } from "./Imports.ts"

/** A source file to check. */
export interface SourceFile {
  readonly path: string
  readonly source: string
}

/** The parts of `src/` that have a row of their own. */
export type Part =
  | "protocol"
  | "runtime"
  | "transport"
  | "contract"
  | "engine"
  | "adapter"
  | "socket"
  | "node"
  | "client"
  | "facade/server"
  | "facade/client"
  | "facade/fastify"
  | "facade/adapters"
  | "testing"
  | "asyncapi"
  | "index"

/** How much of another part may be imported. A list names the only modules. */
type Reach = "yes" | "types" | ReadonlyArray<string>

interface Row {
  readonly parts: Partial<Record<Part, Reach>>
  /** Single modules that may be imported beyond what `parts` says. */
  readonly also?: ReadonlyArray<string>
  /** Effect modules without the leading "effect/": all of them, or these. Type-only imports of Effect are free. */
  readonly effect: "any" | ReadonlyArray<string>
  /** Packages and Node modules, by file (relative to src) or for the whole part under "*". A trailing "*" is a prefix. */
  readonly packages?: Readonly<Record<string, ReadonlyArray<string>>>
  /** Packages and Node modules whose types may be imported: they cost nothing where only types are used. */
  readonly typePackages?: ReadonlyArray<string>
  /** More Effect modules for single files: what they cost is paid only by those who import the file. */
  readonly effectIn?: Readonly<Record<string, ReadonlyArray<string>>>
  /** Conditional package imports ("#name"). */
  readonly conditional?: ReadonlyArray<string>
  /** Whether timers, the wall clock and Math.random may be called directly. */
  readonly ambient?: boolean
}

/** What a client may have in every bundle. */
const core = [
  "Effect",
  "Fiber",
  "Scope",
  "Exit",
  "Cause",
  "Context",
  "Deferred",
  "Queue",
  "Duration",
  "Schedule",
  "Clock",
  "Random",
  "Data",
  "Function",
  "Option",
  "Result"
]

const schema = [
  "Schema",
  "SchemaAST",
  "SchemaGetter",
  "SchemaIssue",
  "SchemaParser",
  "SchemaTransformation",
  "Effect",
  "Exit",
  "Cause",
  "Data",
  "Option",
  "Result",
  "Function",
  "Predicate",
  "Struct"
]

/** The table. */
export const rows: Readonly<Record<Part, Row>> = {
  protocol: { parts: {}, effect: [], packages: { "protocol/MsgpackCodec.ts": ["notepack.io"] } },
  runtime: { parts: { protocol: "yes" }, effect: core, effectIn: { "runtime/Turn.ts": ["Scheduler"] } },
  transport: { parts: { protocol: "yes" }, effect: [], ambient: true },
  contract: {
    parts: { runtime: ["runtime/PayloadError.ts"] },
    effect: schema,
    conditional: ["#schema-compiler"]
  },
  engine: { parts: { protocol: "yes", runtime: "yes" }, effect: "any" },
  adapter: {
    // Emitters are typed by contracts.
    parts: { protocol: "yes", runtime: "yes", contract: "types" },
    effect: "any",
    packages: {
      "adapter/redis/*": ["redis", "ioredis"],
      "adapter/postgres/*": ["pg"],
      "adapter/nats/*": ["@nats-io/*"],
      "adapter/process/*": ["node:cluster", "node:process"]
    }
  },
  socket: {
    parts: {
      protocol: "yes",
      runtime: "yes",
      contract: "yes",
      engine: "yes",
      adapter: ["adapter/Adapter.ts"]
    },
    effect: "any"
  },
  node: {
    parts: { protocol: "yes", runtime: "yes", engine: "yes", transport: "yes" },
    effect: "any",
    packages: { "*": ["node:*", "ws", "cors", "@effect/platform-node/*"] },
    ambient: true
  },
  client: {
    parts: { protocol: "yes", runtime: "yes", transport: "yes", contract: "types" },
    // It and all it imports do without Schema.
    also: ["contract/UntypedNamespace.ts"],
    effect: core,
    effectIn: { "client/ClientStreams.ts": ["Stream"], "client/ClientLayer.ts": ["Layer"] },
    conditional: ["#client-platform"]
  },
  "facade/server": {
    parts: {
      protocol: "yes",
      runtime: "yes",
      contract: "types",
      engine: "yes",
      adapter: "yes",
      socket: "yes",
      node: "yes"
    },
    also: ["contract/UntypedNamespace.ts"],
    effect: "any",
    packages: { "*": ["node:events", "node:http", "node:https", "node:http2"] },
    typePackages: ["node:*"],
    ambient: true
  },
  "facade/client": {
    parts: { protocol: "yes", transport: "yes", contract: "types" },
    effect: [],
    conditional: ["#client-platform"],
    ambient: true
  },
  "facade/adapters": {
    parts: { protocol: "yes", runtime: "yes", adapter: "yes", node: "yes", socket: "types", "facade/server": "yes" },
    effect: "any",
    packages: { "*": ["node:*"] },
    typePackages: ["redis", "ioredis", "pg", "@nats-io/*"],
    ambient: true
  },
  "facade/fastify": {
    parts: { "facade/server": "yes", node: ["node/Interception.ts"] },
    effect: [],
    typePackages: ["fastify", "node:http"]
  },
  asyncapi: { parts: { contract: "yes" }, effect: "any" },
  testing: {
    parts: {
      protocol: "yes",
      runtime: "yes",
      contract: "yes",
      engine: "yes",
      adapter: "yes",
      socket: "yes",
      transport: "yes",
      client: "yes"
    },
    effect: "any"
  },
  index: {
    parts: { protocol: "yes", runtime: "yes", contract: "yes", engine: "yes", adapter: "yes", socket: "yes" },
    effect: "any"
  }
}

/** Never in `src/`, however spelled. */
const official =
  /^(?:socket\.io(?:-[\w-]+)?|engine\.io(?:-[\w-]+)?|@socket\.io\/.*|socket\.io-client\/.*|socket\.io\/.*|ws\/.*)$/

/** Entries of `effect` that gather a whole area; only modules are imported. */
const barrel = /^effect(?:\/[a-z][a-z-]*)?$/

/** The part a file belongs to; undefined for one outside every row, which is a violation of its own. */
export const partOf = (path: string): Part | undefined => {
  if (path === "index.ts") return "index"
  const [first = "", second = ""] = path.split("/")
  const name = first === "facade" ? `facade/${second.replace(/\.ts$/, "")}` : first
  return Object.hasOwn(rows, name) && name !== "index" ? (name as Part) : undefined
}

const matches = (pattern: string, name: string): boolean =>
  pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern

const reaches = (reach: Reach | undefined, target: string, typeOnly: boolean): boolean => {
  if (reach === undefined) return false
  if (reach === "yes") return true
  if (reach === "types") return typeOnly
  return reach.includes(target)
}

const checkEdge = (path: string, part: Part, edge: ImportEdge): string | undefined => {
  const row = rows[part]
  const { specifier, typeOnly } = edge
  if (specifier.startsWith(".")) {
    if (!specifier.endsWith(".ts")) return `${path}: "${specifier}" does not end in .ts`
    const target = posix.normalize(posix.join(posix.dirname(path), specifier))
    if (target.startsWith("..")) return `${path}: "${specifier}" leaves src`
    const targetPart = partOf(target)
    if (targetPart === undefined) return `${path}: ${target} belongs to no part`
    if (targetPart === part) return undefined
    if (reaches(row.parts[targetPart], target, typeOnly) || row.also?.includes(target) === true) return undefined
    return `${path}: ${part} may not import ${typeOnly ? "types of " : ""}${target}`
  }
  if (specifier.startsWith("#")) {
    return row.conditional?.includes(specifier) === true ? undefined : `${path}: ${part} may not import ${specifier}`
  }
  if (specifier === "effect" || specifier.startsWith("effect/")) {
    if (barrel.test(specifier)) return `${path}: "${specifier}" is a barrel, import the module`
    if (typeOnly && row.effect !== "any" && row.effect.length > 0) return undefined
    const module = specifier.slice("effect/".length)
    if (row.effect === "any" || row.effect.includes(module)) return undefined
    if (row.effectIn?.[path]?.includes(module) === true) return undefined
    return `${path}: ${part} may not import effect/${module}`
  }
  if (official.test(specifier)) return `${path}: official package ${specifier}`
  const types = typeOnly ? (row.typePackages ?? []) : []
  const own = Object.entries(row.packages ?? {}).filter(([files]) => matches(files, path))
  const allowed = [...own.flatMap(([, packages]) => packages), ...types]
  if (allowed.some((pattern) => matches(pattern, specifier))) return undefined
  return `${path}: ${part} may not import ${specifier}`
}

/** Folder cycles, each as "a -> b -> a". Types count: they too make two folders impossible to understand apart. */
export const folderCycles = (edges: ReadonlyMap<string, ReadonlySet<string>>): ReadonlyArray<string> => {
  const found: Array<string> = []
  const finished = new Set<string>()
  const visit = (part: string, trail: ReadonlyArray<string>): void => {
    const at = trail.indexOf(part)
    if (at >= 0) {
      found.push([...trail.slice(at), part].join(" -> "))
      return
    }
    if (finished.has(part)) return
    for (const next of edges.get(part) ?? []) visit(next, [...trail, part])
    finished.add(part)
  }
  for (const part of edges.keys()) visit(part, [])
  return found
}

/** Everything in the files that the table forbids, one sentence each. */
export const violations = (files: ReadonlyArray<SourceFile>): ReadonlyArray<string> => {
  const found: Array<string> = []
  const edges = new Map<string, Set<string>>()
  for (const { path, source } of files) {
    const part = partOf(path)
    if (part === undefined) {
      found.push(`${path}: belongs to no part`)
      continue
    }
    const facts = read(path, source)
    const targets = edges.get(part) ?? new Set<string>()
    edges.set(part, targets)
    for (const edge of facts.imports) {
      const problem = checkEdge(path, part, edge)
      if (problem !== undefined) found.push(problem)
      if (!edge.specifier.startsWith(".")) continue
      const target = partOf(posix.normalize(posix.join(posix.dirname(path), edge.specifier)))
      if (target !== undefined && target !== part) targets.add(target)
    }
    if (rows[part].ambient !== true) {
      for (const call of facts.ambientCalls) found.push(`${path}: ${part} may not call ${call}`)
    }
  }
  return [...found, ...folderCycles(edges).map((cycle) => `folders import each other: ${cycle}`)]
}
