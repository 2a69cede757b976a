/**
 * The payload codec: every kind of schema comes back from the wire as it went, with binary leaves kept binary.
 */
import { Binary } from "effect-socketio/contract"
import * as Arbitrary from "effect/Arbitrary"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import { assert, describe, it } from "vitest"
import * as PayloadCodec from "../../src/contract/PayloadCodec.ts"
import * as PayloadIssue from "../../src/contract/PayloadIssue.ts"
import { type Platform, throughWire } from "./wire.ts"
import { property } from "../properties.ts"

const platforms: ReadonlyArray<Platform> = ["Uint8Array", "Buffer", "ArrayBuffer", "DataView"]

const run = <A>(exit: Exit.Exit<A, Schema.SchemaError>): A => {
  if (Exit.isSuccess(exit)) return exit.value
  const issue = PayloadIssue.fromCause(exit.cause)
  throw new Error(`${issue.message} at ${issue.path.join(".")}`, { cause: exit.cause })
}

const roundTrips = async <S extends PayloadCodec.PayloadSchema>(schema: S, runs: number): Promise<void> => {
  const codec = PayloadCodec.make(schema)
  const equals = Schema.toEquivalence(Schema.make<Schema.Schema<unknown>>(schema.ast))
  let platform = 0
  const result = await Effect.runPromise(
    Arbitrary.checkEffect(
      Arbitrary.schema(schema),
      (value) =>
        Effect.sync(() => {
          const wire = run(codec.encode(value))
          const back = run(codec.decode(throughWire(wire, platforms[platform++ % platforms.length]!)))
          return equals(back, value)
        }),
      property(runs)
    )
  )
  assert.isUndefined(Arbitrary.formatCheckFailure(result))
}

class Point extends Schema.Class<Point>("Point")({ x: Schema.Finite, y: Schema.Finite, at: Schema.Date }) {}
class Blob extends Schema.TaggedClass<Blob>()("Blob", { name: Schema.String, bytes: Schema.Uint8Array }) {}
class Failed extends Schema.TaggedError<Failed>()("Failed", { room: Schema.String, dump: Schema.Uint8Array }) {}

interface Tree {
  readonly value: Uint8Array<ArrayBufferLike>
  readonly children: ReadonlyArray<Tree>
}
const Tree = Schema.Struct({
  value: Schema.Uint8Array,
  children: Schema.Array(Schema.suspend((): Schema.Codec<Tree> => Tree))
})

interface Category {
  readonly name: string
  readonly parent: Category | undefined
}
const Category: Schema.Codec<Category, unknown> = Schema.Struct({
  name: Schema.String,
  parent: Schema.UndefinedOr(Schema.suspend((): Schema.Codec<Category, unknown> => Category))
})

const schemas = {
  string: Schema.String,
  finite: Schema.Finite,
  "number with NaN and infinities": Schema.Number,
  int: Schema.Int,
  boolean: Schema.Boolean,
  null: Schema.Null,
  undefined: Schema.Undefined,
  bigint: Schema.BigInt,
  symbol: Schema.Symbol,
  date: Schema.Date,
  literal: Schema.Literal("a"),
  literals: Schema.Literals(["a", 1, true, 2n]),
  enum: Schema.Enum({ Red: "red", Green: 2 }),
  "template literal": Schema.TemplateLiteral(["id-", Schema.Int]),
  "template literal parser": Schema.TemplateLiteralParser(["id-", Schema.Int]),
  struct: Schema.Struct({ a: Schema.String, b: Schema.Struct({ c: Schema.Finite }) }),
  "optional key": Schema.Struct({ a: Schema.optionalKey(Schema.String), b: Schema.optionalKey(Schema.Uint8Array) }),
  "optional value": Schema.Struct({ a: Schema.optional(Schema.String), b: Schema.optional(Schema.Date) }),
  "key from another key": Schema.Struct({ a: Schema.String }).pipe(Schema.encodeKeys({ a: "b" })),
  "null or": Schema.NullOr(Schema.Date),
  "undefined or": Schema.UndefinedOr(Schema.Finite),
  "undefined in a struct": Schema.Struct({ a: Schema.UndefinedOr(Schema.String) }),
  "undefined in an array": Schema.Array(Schema.UndefinedOr(Schema.Uint8Array)),
  array: Schema.Array(Schema.Date),
  "non-empty array": Schema.NonEmptyArray(Schema.BigInt),
  tuple: Schema.Tuple([Schema.String, Schema.Date]),
  "tuple with optional": Schema.Tuple([Schema.String, Schema.optionalKey(Schema.Uint8Array)]),
  "tuple with rest": Schema.TupleWithRest(Schema.Tuple([Schema.String]), [Schema.Uint8Array]),
  record: Schema.Record(Schema.String, Schema.Date),
  "record of bytes": Schema.Record(Schema.String, Schema.Uint8Array),
  "record by template": Schema.Record(Schema.TemplateLiteral(["k-", Schema.String]), Schema.Finite),
  union: Schema.Union([Schema.String, Schema.Finite, Schema.Struct({ a: Schema.BigInt })]),
  "union with bytes": Schema.Union([Schema.String, Schema.Uint8Array, Schema.Array(Schema.Finite)]),
  "tagged union": Schema.TaggedUnion({ a: { x: Schema.Date }, b: { bytes: Schema.Uint8Array } }),
  map: Schema.ReadonlyMap(Schema.BigInt, Schema.Date),
  "map of bytes": Schema.ReadonlyMap(Schema.String, Schema.Uint8Array),
  set: Schema.ReadonlySet(Schema.BigInt),
  "hash map": Schema.HashMap(Schema.String, Schema.Uint8Array),
  "hash set": Schema.HashSet(Schema.String),
  chunk: Schema.Chunk(Schema.Uint8Array),
  option: Schema.Option(Schema.Date),
  "option of bytes": Schema.Option(Schema.Uint8Array),
  "option of option": Schema.Option(Schema.Option(Schema.UndefinedOr(Schema.String))),
  result: Schema.Result(Schema.Uint8Array, Schema.String),
  exit: Schema.Exit(Schema.Uint8Array, Schema.String, Schema.Defect()),
  cause: Schema.Cause(Schema.Uint8Array, Schema.Finite),
  duration: Schema.Duration,
  "date-time utc": Schema.DateTimeUtc,
  "big decimal": Schema.BigDecimal,
  url: Schema.URL,
  regexp: Schema.RegExp,
  json: Schema.Json,
  "json string": Schema.fromJsonString(Schema.Struct({ a: Schema.Finite })),
  bytes: Schema.Uint8Array,
  "array buffer": Binary.ArrayBuffer,
  "bytes that a contract wants as base64": Schema.Uint8ArrayFromBase64,
  "bytes with a check": Schema.Uint8Array.check(Schema.makeFilter((bytes) => bytes.length >= 0)),
  "bytes with a brand": Schema.Uint8Array.pipe(Schema.brand("Key")),
  "bytes with annotations": Schema.Uint8Array.annotate({ title: "Key" }),
  "bytes with a default": Schema.Struct({
    a: Schema.Uint8Array.pipe(Schema.withDecodingDefault(Effect.succeed(new Uint8Array())))
  }),
  "bytes behind a transformation": Schema.Uint8Array.pipe(
    Schema.decodeTo(Schema.Struct({ bytes: Schema.toType(Schema.Uint8Array) }), {
      decode: SchemaGetter.transform((bytes) => ({ bytes })),
      encode: SchemaGetter.transform(({ bytes }) => bytes)
    })
  ),
  branded: Schema.String.pipe(Schema.brand("UserId")),
  refined: Schema.String.check(Schema.isMinLength(2), Schema.isMaxLength(5)),
  "transformed string": Schema.FiniteFromString,
  class: Point,
  "tagged class with bytes": Blob,
  "tagged error with bytes": Failed,
  "classes in a struct": Schema.Struct({ points: Schema.Array(Point), blob: Schema.optionalKey(Blob) }),
  "recursive with bytes": Tree,
  recursive: Category,
  mutable: Schema.mutable(Schema.Array(Schema.Uint8Array)),
  "type side of a transformation": Schema.toType(Schema.FiniteFromString),
  opaque: class Opaque extends Schema.Opaque<Opaque>()(Schema.Struct({ bytes: Schema.Uint8Array })) {}
} as const satisfies Record<string, PayloadCodec.PayloadSchema>

describe("what every kind of schema is on the wire", () => {
  for (const [name, schema] of Object.entries(schemas)) {
    it(`${name} comes back`, () => roundTrips<PayloadCodec.PayloadSchema>(schema, 60))
  }

  // Effect writes the offset of a zone in whole minutes, so that arbitrary ones (of any millisecond) cannot come back.
  it("date-time zoned comes back", () => {
    const codec = PayloadCodec.make(Schema.DateTimeZoned)
    for (const timeZone of [
      DateTime.zoneMakeOffset(0),
      DateTime.zoneMakeOffset(90 * 60_000),
      DateTime.zoneMakeNamedUnsafe("Europe/London")
    ]) {
      const value = DateTime.makeZonedUnsafe(1, { timeZone })
      const back = run(codec.decode(throughWire(run(codec.encode(value)), "Buffer")))
      assert.isTrue(Schema.toEquivalence(Schema.DateTimeZoned)(back, value))
    }
  })
})

const wireOf = (schema: PayloadCodec.PayloadSchema, value: unknown): unknown =>
  run(PayloadCodec.make(schema).encode(value))

const failureOf = (exit: Exit.Exit<unknown, Schema.SchemaError>): PayloadIssue.PayloadIssue => {
  if (Exit.isSuccess(exit)) throw new Error("expected a failure")
  return PayloadIssue.fromCause(exit.cause)
}

describe("binary leaves", () => {
  const bytes = new Uint8Array([1, 2, 3])

  it("stay the very same object: nothing is copied on the way out", () => {
    assert.strictEqual(wireOf(Schema.Uint8Array, bytes), bytes)
    const buffer = Buffer.from([1, 2])
    assert.strictEqual(wireOf(Schema.Uint8Array, buffer), buffer)
    const inMap = wireOf(Schema.ReadonlyMap(Schema.String, Schema.Uint8Array), new Map([["a", bytes]]))
    assert.deepStrictEqual(inMap, [["a", bytes]])
  })

  it("an ArrayBuffer leaves as a view of itself and arrives with exactly its length", () => {
    const buffer = new Uint8Array([1, 2, 3]).buffer
    const wire = wireOf(Binary.ArrayBuffer, buffer)
    assert.instanceOf(wire, Uint8Array)
    assert.strictEqual((wire as Uint8Array).buffer, buffer)
    const pooled = Buffer.concat([Buffer.from([9, 9]), Buffer.from([1, 2, 3]), Buffer.from([9])]).subarray(2, 5)
    const back = run(PayloadCodec.make(Binary.ArrayBuffer).decode(pooled))
    assert.strictEqual(back.byteLength, 3)
    assert.deepStrictEqual([...new Uint8Array(back)], [1, 2, 3])
  })

  it("an ArrayBuffer outside of a contract is base64", () => {
    const json = Schema.toCodecJson(Binary.ArrayBuffer)
    const text = Schema.encodeSync(json)(bytes.buffer)
    assert.strictEqual(text, "AQID")
    assert.deepStrictEqual(new Uint8Array(Schema.decodeUnknownSync(json)(text)), bytes)
  })

  it("what is not binary is refused where bytes are declared", () => {
    const codec = PayloadCodec.make(Schema.Struct({ file: Schema.Uint8Array }))
    for (const file of ["AQID", [1, 2, 3], { 0: 1 }, { type: "Buffer", data: [1] }, 1, null]) {
      assert.deepStrictEqual(failureOf(codec.decode({ file })), { path: ["file"], message: "Expected binary data" })
    }
  })

  it("base64 stays base64 where a contract says so", () => {
    assert.strictEqual(wireOf(Schema.Uint8ArrayFromBase64, bytes), "AQID")
  })

  it("the checks of the contract still hold", () => {
    const small = Schema.Uint8Array.check(
      Schema.makeFilter((value) => value.length <= 2, { expected: "at most 2 bytes" })
    )
    const codec = PayloadCodec.make(small)
    assert.deepStrictEqual(run(codec.decode(Buffer.from([1, 2]))), Buffer.from([1, 2]))
    assert.strictEqual(failureOf(codec.decode(Buffer.from([1, 2, 3]))).message, "Expected at most 2 bytes")
    assert.strictEqual(failureOf(codec.encode(bytes)).message, "Expected at most 2 bytes")
  })

  const holdBinary: ReadonlyArray<readonly [string, PayloadCodec.PayloadSchema, boolean]> = [
    ["text", Schema.Struct({ a: Schema.String, b: Schema.Date, c: Schema.BigInt }), false],
    ["classes without bytes", Schema.Struct({ a: Point, b: Schema.Option(Point) }), false],
    ["json", Schema.Json, false],
    [
      "collections of text",
      Schema.Tuple([Schema.ReadonlyMap(Schema.String, Schema.Date), Schema.HashSet(Schema.String)]),
      false
    ],
    ["recursion without bytes", Category, false],
    ["base64", Schema.Uint8ArrayFromBase64, false],
    ["a JSON string of anything", Schema.fromJsonString(Schema.Unknown), false],
    ["bytes", Schema.Uint8Array, true],
    ["an array buffer", Binary.ArrayBuffer, true],
    ["bytes in a class", Schema.Array(Blob), true],
    ["bytes in an error", Failed, true],
    ["bytes in a map", Schema.ReadonlyMap(Schema.String, Schema.Uint8Array), true],
    ["bytes in an option", Schema.Option(Schema.Struct({ a: Schema.optionalKey(Schema.Uint8Array) })), true],
    ["bytes in a record", Schema.Record(Schema.String, Schema.Uint8Array), true],
    ["bytes in a recursion", Tree, true],
    ["bytes in a rest", Schema.TupleWithRest(Schema.Tuple([]), [Schema.Uint8Array]), true],
    ["unknown", Schema.Struct({ a: Schema.Unknown }), true],
    ["any", Schema.Any, true],
    ["object", Schema.ObjectKeyword, true],
    ["a declaration without a codec", Schema.instanceOf(Buffer), true]
  ]
  for (const [name, schema, expected] of holdBinary) {
    it(`${name} ${expected ? "may hold" : "holds no"} binary`, () => {
      assert.strictEqual(PayloadCodec.make(schema).hasBinary, expected)
    })
  }
})

describe("values that no schema describes", () => {
  it("unknown passes as it is, with bytes and dates inside", () => {
    const value = { at: new Date(0), bytes: new Uint8Array([1]), nested: [{ undefined }] }
    assert.strictEqual(wireOf(Schema.Unknown, value), value)
    assert.strictEqual(run(PayloadCodec.make(Schema.Unknown).decode(value)), value)
    const struct = wireOf(Schema.Struct({ a: Schema.Unknown }), { a: value }) as { readonly a: unknown }
    assert.strictEqual(struct.a, value)
  })

  it("object passes objects only", () => {
    const codec = PayloadCodec.make(Schema.ObjectKeyword)
    const value = { bytes: new Uint8Array([1]) }
    assert.strictEqual(run(codec.encode(value)), value)
    assert.strictEqual(run(codec.decode(value)), value)
    for (const other of ["a", 1, null, true])
      assert.strictEqual(failureOf(codec.decode(other)).message, "Expected object")
  })

  it("a declaration without a codec passes JSON and bytes, and refuses what JSON loses", () => {
    interface Opaque {
      readonly kind: "opaque"
      readonly inner: unknown
    }
    const Opaque = Schema.declare<Opaque>(
      (u): u is Opaque => typeof u === "object" && u !== null && "kind" in u && u.kind === "opaque"
    )
    const codec = PayloadCodec.make(Opaque)
    const shared = { a: 1 }
    for (const inner of [
      1,
      "a",
      null,
      [true],
      new Uint8Array(1),
      { a: { b: [new ArrayBuffer(1)] } },
      [shared, shared]
    ]) {
      const value: Opaque = { kind: "opaque", inner }
      assert.strictEqual(run(codec.encode(value)), value)
    }
    const cyclic: { kind: "opaque"; inner: unknown } = { kind: "opaque", inner: undefined }
    cyclic.inner = [cyclic]
    const lost = [undefined, Number.NaN, Infinity, 1n, Symbol("a"), () => 1, new Date(0), new Map(), cyclic.inner]
    for (const inner of lost) {
      assert.strictEqual(failureOf(codec.encode({ kind: "opaque", inner })).message, "Expected JSON with binary leaves")
    }
  })
})

describe("hostile input", () => {
  const codecs = Object.entries(schemas).map(
    ([name, schema]) => [name, PayloadCodec.make<PayloadCodec.PayloadSchema>(schema)] as const
  )

  it("decoding any JSON with bytes is total and leaves the input as it was", async () => {
    const json = Arbitrary.schema(Schema.Json)
    const result = await Effect.runPromise(
      Arbitrary.checkEffect(
        json,
        (value) =>
          Effect.sync(() => {
            const before = JSON.stringify(value)
            for (const [, codec] of codecs) codec.decode(value)
            return JSON.stringify(value) === before
          }),
        property(100)
      )
    )
    assert.isUndefined(Arbitrary.formatCheckFailure(result))
    for (const value of [undefined, new Uint8Array(3), [new ArrayBuffer(1)], { bytes: Buffer.from("a") }, Number.NaN]) {
      for (const [, codec] of codecs) codec.decode(value)
    }
  })

  it("own __proto__ keys pollute nothing", () => {
    const input: unknown = JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"a":"x"}')
    const struct = run(PayloadCodec.make(Schema.Struct({ a: Schema.String })).decode(input))
    assert.deepStrictEqual(Object.keys(struct), ["a"])
    assert.isUndefined((struct as { readonly polluted?: unknown }).polluted)
    const record = run(PayloadCodec.make(Schema.Record(Schema.String, Schema.Json)).decode(input))
    assert.strictEqual(Object.getPrototypeOf(record), Object.prototype)
    assert.isTrue(Object.hasOwn(record, "__proto__"))
    assert.isUndefined(({} as { readonly polluted?: unknown }).polluted)
  })

  it("input nested deeper than the stack is a failure, not a crash", () => {
    const depth = 200_000
    const deep: unknown = JSON.parse(`${'{"name":"a","parent":'.repeat(depth)}null${"}".repeat(depth)}`)
    const exit = PayloadCodec.make(Category).decode(deep)
    assert.isTrue(Exit.isFailure(exit))
    const opaque = PayloadCodec.make(Schema.declare<unknown>((u): u is unknown => u !== undefined))
    assert.isTrue(Exit.isSuccess(opaque.decode(deep)))
  })

  it("schemas that throw or are asynchronous are defects in the Exit, and their texts are not told", () => {
    const throwing = Schema.String.pipe(
      Schema.decodeTo(Schema.String, {
        decode: SchemaGetter.transform((): string => {
          throw new Error("secret")
        }),
        encode: SchemaGetter.transformEffect((text: string) => Effect.promise(() => Promise.resolve(text)))
      })
    )
    const codec = PayloadCodec.make(throwing)
    for (const exit of [codec.decode("a"), codec.encode("a")]) {
      assert.deepStrictEqual(failureOf(exit), { path: [], message: "the schema could not be applied" })
    }
  })

  it("a schema that JSON cannot have is a defect in the Exit, not an exception", () => {
    const codec = PayloadCodec.make(Schema.Struct({ [Symbol.for("a")]: Schema.String }))
    assert.strictEqual(failureOf(codec.encode({ [Symbol.for("a")]: "x" })).message, "the schema could not be applied")
    assert.strictEqual(failureOf(codec.decode({})).message, "the schema could not be applied")
    assert.isTrue(codec.hasBinary)
  })

  it("an issue names the place and never repeats the value", () => {
    const codec = PayloadCodec.make(Schema.Struct({ list: Schema.Array(Schema.Struct({ room: Schema.String })) }))
    const issue = failureOf(codec.decode({ list: [{ room: "a" }, { room: { password: "hunter2" } }] }))
    assert.deepStrictEqual(issue, { path: ["list", 1, "room"], message: "Expected string" })
  })

  it("the keys of a path and their number are bounded", () => {
    const long = "k".repeat(10_000)
    const record = PayloadCodec.make(Schema.Record(Schema.String, Schema.Finite))
    const issue = failureOf(record.decode({ [long]: "x" }))
    assert.strictEqual(String(issue.path[0]).length, PayloadIssue.maxMessageLength + 1)
    const depth = 100
    const deep: unknown = JSON.parse(`${'{"name":"a","parent":'.repeat(depth)}1${"}".repeat(depth)}`)
    assert.strictEqual(failureOf(PayloadCodec.make(Category).decode(deep)).path.length, PayloadIssue.maxPathLength)
  })
})
