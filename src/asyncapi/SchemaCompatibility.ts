/**
 * Whether everything that one JSON Schema allows is allowed by another: what a reader of the second can be sent by a writer of the first.
 *
 * Conservative: what cannot be told to be compatible is reported. Covers what Effect's schemas become in draft 07.
 */
import type { Json, JsonObject } from "./PayloadSchemas.ts"

/** Why a value of the first is not always one of the second. */
export interface Incompatibility {
  /** Where in the payload: `[0].room`. */
  readonly at: string
  readonly why: string
}

/** Finds what a `$ref` points to. */
export type Resolve = (reference: string) => Json | undefined

/** Both sides of a comparison. */
export interface Sides {
  readonly from: Resolve
  readonly to: Resolve
}

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const listOf = (value: Json | undefined): ReadonlyArray<Json> => (Array.isArray(value) ? value : [])

const same = (a: Json | undefined, b: Json | undefined): boolean => JSON.stringify(a) === JSON.stringify(b)

/** Everything but what only describes. */
const meaning = (schema: JsonObject): JsonObject => {
  const { $comment: _comment, description: _description, examples: _examples, title: _title, ...rest } = schema
  return rest
}

const resolved = (schema: Json | undefined, resolve: Resolve): JsonObject => {
  let current = schema
  // A chain of references is short; a loop of them describes nothing.
  for (let depth = 0; depth < 20 && isObject(current) && typeof current["$ref"] === "string"; depth++) {
    current = resolve(current["$ref"])
  }
  return isObject(current) ? meaning(current) : {}
}

const typesOf = (schema: JsonObject): ReadonlyArray<string> | undefined => {
  const type = schema["type"]
  if (typeof type === "string") return [type]
  return Array.isArray(type) ? type.map(String) : undefined
}

const valuesOf = (schema: JsonObject): ReadonlyArray<Json> | undefined => {
  if (schema["const"] !== undefined) return [schema["const"]]
  return Array.isArray(schema["enum"]) ? schema["enum"] : undefined
}

const branchesOf = (schema: JsonObject): ReadonlyArray<Json> | undefined => {
  const branches = schema["anyOf"] ?? schema["oneOf"]
  return Array.isArray(branches) ? branches : undefined
}

const isOfType = (value: Json, types: ReadonlyArray<string>): boolean => {
  if (value === null) return types.includes("null")
  if (Array.isArray(value)) return types.includes("array")
  if (typeof value === "number")
    return types.includes("number") || (Number.isInteger(value) && types.includes("integer"))
  return types.includes(typeof value)
}

/** Limits where a greater number allows less, and where a smaller one does. */
const lowerBounds = ["minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"]
const upperBounds = ["maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"]
const exactly = ["pattern", "format", "multipleOf", "uniqueItems", "contentEncoding", "not", "x-socketio-attachment"]

const bounds = (from: JsonObject, to: JsonObject, report: (why: string) => void): void => {
  for (const name of [...lowerBounds, ...upperBounds]) {
    const limit = to[name]
    if (typeof limit !== "number") continue
    const before = from[name]
    const holds = typeof before === "number" && (lowerBounds.includes(name) ? before >= limit : before <= limit)
    if (!holds) report(`${name} is now ${limit}`)
  }
  for (const name of exactly) {
    if (to[name] !== undefined && !same(from[name], to[name])) report(`${name} is now ${JSON.stringify(to[name])}`)
  }
}

/** What of `from` the schema `to` does not allow. */
export const compare = (
  from: Json | undefined,
  to: Json | undefined,
  sides: Sides,
  at = "",
  seen: ReadonlySet<string> = new Set()
): Array<Incompatibility> => {
  const pair = JSON.stringify([from, to])
  // A recursive schema that is compatible everywhere else is compatible where it meets itself.
  if (seen.has(pair)) return []
  const within = new Set(seen).add(pair)
  const a = resolved(from, sides.from)
  const b = resolved(to, sides.to)
  if (Object.keys(b).length === 0) return []
  const found: Array<Incompatibility> = []
  const report = (why: string): void => void found.push({ at: at === "" ? "payload" : at, why })

  const branches = branchesOf(a)
  if (branches !== undefined) return branches.flatMap((branch) => compare(branch, to, sides, at, within))
  const accepted = branchesOf(b)
  if (accepted !== undefined) {
    if (accepted.some((branch) => compare(from, branch, sides, at, within).length === 0)) return []
    report("no alternative accepts it any more")
    return found
  }
  for (const part of listOf(b["allOf"])) found.push(...compare(from, part, sides, at, within))

  const values = valuesOf(a)
  const allowed = valuesOf(b)
  if (allowed !== undefined) {
    const missing = values?.filter((value) => !allowed.some((other) => same(value, other)))
    if (values === undefined) report(`only ${JSON.stringify(allowed)} is allowed now`)
    else if (missing!.length > 0) report(`${JSON.stringify(missing)} is not allowed any more`)
    return found
  }
  const types = typesOf(b)
  if (types !== undefined) {
    const before = typesOf(a)
    if (values !== undefined) {
      if (!values.every((value) => isOfType(value, types))) report(`must be ${types.join(" or ")} now`)
      return found
    }
    const missing = before?.filter((type) => !types.includes(type) && !(type === "integer" && types.includes("number")))
    if (before === undefined || missing!.length > 0) {
      report(`must be ${types.join(" or ")} now, was ${before?.join(" or ") ?? "anything"}`)
      return found
    }
  }
  bounds(a, b, report)
  found.push(...compareProperties(a, b, sides, at, within), ...compareItems(a, b, sides, at, within))
  return found
}

const compareProperties = (
  a: JsonObject,
  b: JsonObject,
  sides: Sides,
  at: string,
  seen: ReadonlySet<string>
): Array<Incompatibility> => {
  const found: Array<Incompatibility> = []
  const before = isObject(a["properties"]) ? a["properties"] : {}
  const now = isObject(b["properties"]) ? b["properties"] : {}
  const required = listOf(a["required"])
  for (const name of listOf(b["required"])) {
    if (!required.includes(name)) found.push({ at: `${at}.${String(name)}`, why: "is required now" })
  }
  for (const [name, schema] of Object.entries(now)) {
    if (before[name] !== undefined) found.push(...compare(before[name], schema, sides, `${at}.${name}`, seen))
  }
  if (b["additionalProperties"] === false) {
    for (const name of Object.keys(before)) {
      if (now[name] === undefined) found.push({ at: `${at}.${name}`, why: "is not allowed any more" })
    }
  } else if (isObject(b["additionalProperties"]) && isObject(a["additionalProperties"])) {
    found.push(...compare(a["additionalProperties"], b["additionalProperties"], sides, `${at}.*`, seen))
  }
  return found
}

const compareItems = (
  a: JsonObject,
  b: JsonObject,
  sides: Sides,
  at: string,
  seen: ReadonlySet<string>
): Array<Incompatibility> => {
  const tuple = (schema: JsonObject): ReadonlyArray<Json> | undefined =>
    Array.isArray(schema["items"]) ? schema["items"] : undefined
  const rest = (schema: JsonObject): Json | undefined =>
    tuple(schema) === undefined ? schema["items"] : schema["additionalItems"]
  const before = tuple(a)
  const now = tuple(b)
  const found: Array<Incompatibility> = []
  const length = Math.max(before?.length ?? 0, now?.length ?? 0)
  for (let index = 0; index < length; index++) {
    const from = before?.[index] ?? rest(a)
    const to = now?.[index] ?? rest(b)
    if (from === undefined || from === false || to === undefined || to === true) continue
    if (to === false) found.push({ at: `${at}[${index}]`, why: "is not allowed any more" })
    else found.push(...compare(from, to, sides, `${at}[${index}]`, seen))
  }
  const from = rest(a)
  const to = rest(b)
  if (isObject(from) && isObject(to)) found.push(...compare(from, to, sides, `${at}[]`, seen))
  return found
}
