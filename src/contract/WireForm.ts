/**
 * Rewrites a schema so that Effect's JSON derivation produces Socket.IO's payloads: JSON whose binary leaves stay binary.
 *
 * Effect's `Schema.toCodecJson` lowers every declaration by the link in its annotations, `Uint8Array` to base64. Before it runs, this
 * walk gives binary declarations a link that ends in a binary leaf, and lets values of declarations without any codec pass if they are
 * JSON or binary. `Unknown` and `ObjectKeyword` become `Any`-like: their values pass untouched, since what Socket.IO makes of them is
 * what the peer gets.
 */
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import * as SchemaGetter from "effect/SchemaGetter"
import { memoizeIdempotent } from "effect/Function"
import { type BytesOnWire, isBytes, toUint8Array } from "./Bytes.ts"

type AST = SchemaAST.AST

/** Annotation of leaves that may hold attachments once encoded. */
const binaryLeaf = "~effect-socketio/contract/binaryLeaf"

const onWire = { toCodecJson: () => undefined, [binaryLeaf]: true } as const

/** What a binary leaf is on the wire: an ArrayBuffer or any view of one. */
const WireBinary = Schema.declare<BytesOnWire>(isBytes, { expected: "binary data", ...onWire })

const uint8ArrayLink = Schema.link<Uint8Array<ArrayBufferLike>>()(WireBinary, {
  decode: SchemaGetter.transform(toUint8Array),
  encode: SchemaGetter.passthroughSubtype()
})

const isPlainObject = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}

/** JSON with binary leaves; a loop instead of recursion, since the depth of a value is the peer's choice. */
const isWireValue = (value: unknown): boolean => {
  const pending: Array<{ readonly value: unknown; readonly leave: boolean }> = [{ value, leave: false }]
  const ancestors = new Set<unknown>()
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const current = next.value
    if (next.leave) ancestors.delete(current)
    else if (current === null || typeof current === "string" || typeof current === "boolean" || isBytes(current))
      continue
    else if (typeof current === "number") {
      if (!Number.isFinite(current)) return false
    } else if (typeof current !== "object" || ancestors.has(current)) return false
    else {
      const isArray = Array.isArray(current)
      if (!isArray && !isPlainObject(current)) return false
      ancestors.add(current)
      pending.push({ value: current, leave: true })
      const children: ReadonlyArray<unknown> = isArray ? current : Object.values(current)
      for (const child of children) pending.push({ value: child, leave: false })
    }
  }
  return true
}

const WireValue = Schema.declare((value): value is unknown => isWireValue(value), {
  expected: "JSON with binary leaves",
  ...onWire
})

const wireValueLink = Schema.link<unknown>()(WireValue, {
  decode: SchemaGetter.passthrough(),
  encode: SchemaGetter.passthrough()
})

const WireObject = Schema.declare((value): value is object => typeof value === "object" && value !== null, {
  expected: "object",
  ...onWire
})

/** A copy of a node with other fields, of the same class, as Effect's own derivations make them. */
const copy = <A extends AST>(ast: A, changes: Partial<A>): A =>
  Object.assign(Object.create(Object.getPrototypeOf(ast)), ast, changes)

type ToLink = (typeParameters: ReadonlyArray<Schema.Constraint>) => SchemaAST.Link | undefined

const isToLink = (value: unknown): value is ToLink => typeof value === "function"

const lowerDeclaration = (ast: SchemaAST.Declaration): SchemaAST.Declaration => {
  const annotations = ast.annotations ?? {}
  const representation = ast.annotations?.["representation"] as { readonly id?: unknown } | undefined
  const json = annotations["toCodecJson"] ?? annotations["toCodec"]
  let toCodecJson: ToLink
  if (representation?.id === "effect/schema/Uint8Array") toCodecJson = () => uint8ArrayLink
  else if (isToLink(json)) {
    toCodecJson = (typeParameters) => {
      const link = json(typeParameters)
      return link === undefined ? undefined : new SchemaAST.Link(keepBinary(link.to), link.transformation)
    }
  } else toCodecJson = () => wireValueLink
  return copy(ast, {
    typeParameters: ast.typeParameters.map(keepBinary),
    annotations: { ...annotations, toCodecJson }
  })
}

const lower = (ast: AST): AST => {
  switch (ast._tag) {
    case "Declaration":
      return lowerDeclaration(ast)
    case "Unknown":
      return new SchemaAST.Any(ast.annotations, ast.checks, undefined, ast.context)
    case "ObjectKeyword":
      return copy(WireObject.ast, { checks: ast.checks, context: ast.context })
    case "Arrays":
      return copy(ast, { elements: ast.elements.map(keepBinary), rest: ast.rest.map(keepBinary) })
    case "Objects":
      return copy(ast, {
        propertySignatures: ast.propertySignatures.map(
          (property) => new SchemaAST.PropertySignature(property.name, keepBinary(property.type))
        ),
        indexSignatures: ast.indexSignatures.map(
          (index) => new SchemaAST.IndexSignature(index.parameter, keepBinary(index.type))
        )
      })
    case "Union":
      return copy(ast, { types: ast.types.map(keepBinary) })
    case "Suspend": {
      const thunk = ast.thunk
      return new SchemaAST.Suspend(() => keepBinary(thunk()), ast.annotations, ast.checks, undefined, ast.context)
    }
    default:
      return ast
  }
}

/**
 * The walk itself. Only the last encoding of a node is rewritten, because only that one reaches the wire: a field declared as
 * `Schema.Uint8ArrayFromBase64` stays a base64 string. Memoized, so that recursive schemas end.
 */
const keepBinary: (ast: AST) => AST = memoizeIdempotent((ast: AST): AST => {
  const encoding = ast.encoding
  if (encoding === undefined) return lower(ast)
  const last = encoding[encoding.length - 1]!
  const rewritten = new SchemaAST.Link(keepBinary(last.to), last.transformation)
  return copy(ast, { encoding: [...encoding.slice(0, -1), rewritten] as unknown as SchemaAST.Encoding })
})

/**
 * The codec of a schema between its type and what Socket.IO sends: JSON in which `Uint8Array` and `ArrayBuffer` (also `Buffer`, a
 * `Uint8Array`) are kept to travel as attachments, dates are ISO strings, and everything else has Effect's canonical JSON form.
 */
export const toWire = <S extends Schema.ConstraintCodec<unknown, unknown>>(
  schema: S
): Schema.Codec<S["Type"], unknown> =>
  Schema.toCodecJson(Schema.make<Schema.Codec<S["Type"], unknown>>(keepBinary(schema.ast)))

/** Whether a value encoded by this wire codec can hold a binary leaf. */
export const mayHoldBinary = (wire: Schema.Constraint): boolean => {
  const seen = new Set<AST>()
  const visit = (ast: AST): boolean => {
    if (seen.has(ast)) return false
    seen.add(ast)
    switch (ast._tag) {
      case "Any":
      case "Unknown":
      case "ObjectKeyword":
        return true
      case "Declaration":
        return ast.annotations?.[binaryLeaf] === true
      case "Arrays":
        return ast.elements.some(visit) || ast.rest.some(visit)
      case "Objects":
        return ast.propertySignatures.some((p) => visit(p.type)) || ast.indexSignatures.some((i) => visit(i.type))
      case "Union":
        return ast.types.some(visit)
      case "Suspend":
        return visit(ast.thunk())
      default:
        return false
    }
  }
  return visit(SchemaAST.toEncoded(wire.ast))
}
