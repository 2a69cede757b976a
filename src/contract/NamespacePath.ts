/**
 * Which namespace names a contract answers to, and what the name says: a fixed name, a path with parameters, a regular expression or
 * a predicate.
 */
import * as Exit from "effect/Exit"
import type * as Schema from "effect/Schema"
import type { PayloadIssue } from "./PayloadIssue.ts"

/** Decides about a name that a client asks for; `auth` is what the client sent, not decoded. Throwing refuses the name. */
export type Predicate = (name: string, auth: unknown) => boolean

/** What a namespace can be named by. */
export type PathInput = string | RegExp | Predicate

/** A schema of a path parameter; its encoded side is the text in the name. */
export type ParamSchema = Schema.ConstraintCodec<unknown, string>

/** The names of the `:parameters` of a path. */
export type ParamNames<P> = P extends `${string}/:${infer Rest}`
  ? Rest extends `${infer Name}/${infer Tail}`
    ? Name | ParamNames<`/${Tail}`>
    : Rest
  : never

/** What the schemas `S` of the parameters of a path have to be; a parameter without a schema is a non-empty string. */
export type ParamSchemas<P, S> = {
  readonly [K in keyof S]: K extends ParamNames<P>
    ? ParamSchema
    : { readonly "the path has only the parameters": ParamNames<P> }
}

/** Schemas of parameters by name. */
export type AnyParamSchemas = Readonly<Record<string, ParamSchema | undefined>>

/** The decoded parameters of a path. Those of a regular expression are its named groups. */
export type Params<P, S> = P extends RegExp
  ? Readonly<Record<string, string | undefined>>
  : {
      readonly [K in ParamNames<P>]: K extends keyof S ? (S[K] extends { readonly Type: infer T } ? T : string) : string
    }

/** How a path selects names: `static` and `parameters` can also make a name. */
export type Kind<P> = P extends string ? ([ParamNames<P>] extends [never] ? "static" : "parameters") : "pattern"

/** A path at run time. */
export interface NamespacePath {
  readonly kind: "static" | "parameters" | "pattern"
  /** The name, the path with its `:parameters`, or a description of the pattern. */
  readonly path: string
  /** The parameters of a name, `undefined` when the namespace does not answer to it. Never throws. */
  match(name: string, auth: unknown): Readonly<Record<string, unknown>> | undefined
  /** The name for these parameters. Fails for parameters that do not fit; a pattern has no name to make (a defect). */
  nameOf(params: Readonly<Record<string, unknown>>): Exit.Exit<string, PayloadIssue>
}

const noParams: Readonly<Record<string, never>> = Object.freeze({})

/** A comma ends the namespace in a packet; control characters would break polling payloads. */
const isNameCharacter = (code: number): boolean => code >= 0x20 && code !== 0x7f && code !== 0x2c

/** Whether a name can stand in a Socket.IO packet. */
export const isName = (name: string): boolean => {
  if (name[0] !== "/") return false
  for (let index = 0; index < name.length; index++) if (!isNameCharacter(name.charCodeAt(index))) return false
  return true
}

const withSlash = (path: string): string => (path.startsWith("/") ? path : `/${path}`)

const fixed = (path: string): NamespacePath => ({
  kind: "static",
  path,
  match: (name) => (name === path ? noParams : undefined),
  nameOf: () => Exit.succeed(path)
})

interface Segment {
  readonly text: string
  readonly param: string | undefined
}

const paramName = /^[A-Za-z_]\w*$/

const segmentsOf = (path: string): ReadonlyArray<Segment> => {
  const names = new Set<string>()
  return path.split("/").map((text) => {
    if (!text.startsWith(":")) return { text, param: undefined }
    const param = text.slice(1)
    if (!paramName.test(param)) throw new TypeError(`"${text}" is not a parameter of a namespace path, in "${path}"`)
    if (names.has(param)) throw new TypeError(`the parameter "${text}" stands twice in "${path}"`)
    names.add(param)
    return { text, param }
  })
}

/** Reads and writes the text of one parameter. */
export interface ParamCodec {
  decode(text: string): Exit.Exit<unknown, unknown>
  encode(value: unknown): Exit.Exit<string, PayloadIssue>
}

const plainText: ParamCodec = {
  decode: (text) => Exit.succeed(text),
  encode: (value) =>
    typeof value === "string" ? Exit.succeed(value) : Exit.fail({ path: [], message: "Expected string" })
}

const isParamText = (text: string): boolean => text !== "" && !text.includes("/") && isName(`/${text}`)

const parameterized = (path: string, codecs: ReadonlyMap<string, ParamCodec>): NamespacePath => {
  const segments = segmentsOf(path)
  for (const name of codecs.keys()) {
    if (segments.some((segment) => segment.param === name)) continue
    throw new TypeError(`"${path}" has no parameter ":${name}"`)
  }
  return {
    kind: "parameters",
    path,
    match(name) {
      const texts = name.split("/", segments.length + 1)
      if (texts.length !== segments.length) return undefined
      const params: Array<[string, unknown]> = []
      for (let index = 0; index < segments.length; index++) {
        const { param, text } = segments[index]!
        const given = texts[index]!
        if (param === undefined) {
          if (given !== text) return undefined
          continue
        }
        const decoded = given === "" ? undefined : (codecs.get(param) ?? plainText).decode(given)
        if (decoded === undefined || Exit.isFailure(decoded)) return undefined
        params.push([param, decoded.value])
      }
      return Object.fromEntries(params)
    },
    nameOf(params) {
      const texts: Array<string> = []
      for (const { param, text } of segments) {
        if (param === undefined) {
          texts.push(text)
          continue
        }
        const given = Object.hasOwn(params, param) ? params[param] : undefined
        const encoded = (codecs.get(param) ?? plainText).encode(given)
        if (Exit.isFailure(encoded)) {
          return Exit.mapError(encoded, ({ path, message }) => ({ path: [param, ...path], message }))
        }
        if (!isParamText(encoded.value)) {
          return Exit.fail({ path: [param], message: "Expected text that can be a part of a namespace name" })
        }
        texts.push(encoded.value)
      }
      return Exit.succeed(texts.join("/"))
    }
  }
}

const pattern = (path: string, match: NamespacePath["match"]): NamespacePath => ({
  kind: "pattern",
  path,
  match,
  nameOf: () =>
    Exit.die(new TypeError(`the namespaces ${path} have no name of their own; connect to one of them by name`))
})

/** The path of an input. Throws a `TypeError` for a name that cannot stand in a packet and for malformed parameters. */
export const make = (input: PathInput, codecs: ReadonlyMap<string, ParamCodec> = new Map()): NamespacePath => {
  if (typeof input === "string") {
    const path = withSlash(input)
    if (!isName(path)) throw new TypeError(`"${input}" cannot be a namespace: it has a comma or a control character`)
    return path.includes("/:") ? parameterized(path, codecs) : fixed(path)
  }
  if (input instanceof RegExp) {
    // Global and sticky expressions remember where they stopped, which would make every second name fail.
    const expression = new RegExp(input.source, input.flags.replace(/[gy]/g, ""))
    return pattern(String(input), (name) => {
      const found = expression.exec(name)
      return found === null ? undefined : { ...found.groups }
    })
  }
  return pattern(input.name === "" ? "(predicate)" : `(${input.name})`, (name, auth) => {
    try {
      return input(name, auth) ? noParams : undefined
    } catch {
      return undefined
    }
  })
}
