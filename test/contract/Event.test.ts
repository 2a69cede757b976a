/**
 * Events at run time: argument lists and every form of acknowledgement.
 */
import { Event, PayloadIssue } from "effect-socketio/contract"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import { assert, describe, it } from "vitest"
import { throughWire } from "./wire.ts"
import { property } from "../properties.ts"

class RoomClosed extends Schema.TaggedError<RoomClosed>()("RoomClosed", { room: Schema.String, at: Schema.Date }) {}
class NotFound extends Schema.TaggedError<NotFound>()("NotFound", {}) {}

const value = <A>(exit: Exit.Exit<A, Schema.SchemaError> | undefined): A => {
  if (exit !== undefined && Exit.isSuccess(exit)) return exit.value
  throw new Error("expected a success", { cause: exit })
}

const issue = (exit: Exit.Exit<unknown, Schema.SchemaError>): PayloadIssue.PayloadIssue => {
  if (Exit.isSuccess(exit)) throw new Error("expected a failure")
  return PayloadIssue.fromCause(exit.cause)
}

/** As a packet carries arguments. */
const send = (args: ReadonlyArray<unknown>): ReadonlyArray<unknown> => throughWire(args, "Buffer") as Array<unknown>

describe("arguments", () => {
  const upload = Event.make({ args: [Schema.String, Schema.Date, Schema.Uint8Array] })

  it("go and come back", () => {
    const args: Event.Args<typeof upload> = ["a.txt", new Date(5), new Uint8Array([1, 2])]
    const wire = value(upload.codec.encodeArgs(args))
    assert.deepStrictEqual(wire, ["a.txt", "1970-01-01T00:00:00.005Z", new Uint8Array([1, 2])])
    assert.deepStrictEqual(value(upload.codec.decodeArgs(send(wire))), ["a.txt", new Date(5), Buffer.from([1, 2])])
  })

  it("as many as declared, one more and one fewer: only the first is accepted", () => {
    const event = Event.make({ args: [Schema.String, Schema.Finite] })
    assert.deepStrictEqual(value(event.codec.decodeArgs(["a", 1])), ["a", 1])
    assert.deepStrictEqual(issue(event.codec.decodeArgs(["a", 1, 2])).path, [2])
    assert.deepStrictEqual(issue(event.codec.decodeArgs(["a", 1, undefined])).path, [2])
    assert.deepStrictEqual(issue(event.codec.decodeArgs(["a"])), { path: [1], message: "Missing key" })
    const none = Event.make({ args: [] })
    assert.deepStrictEqual(value(none.codec.decodeArgs([])), [])
    assert.deepStrictEqual(issue(none.codec.decodeArgs([null])).path, [0])
  })

  it("the path of an issue starts at the argument", () => {
    const event = Event.make({ args: [Schema.String, Schema.Struct({ room: Schema.String })] })
    assert.deepStrictEqual(issue(event.codec.decodeArgs(["a", { room: 1 }])), {
      path: [1, "room"],
      message: "Expected string"
    })
  })

  it("optional ones may be left out, also by an undefined at the end", () => {
    const event = Event.make({
      args: [Schema.String, Schema.optionalKey(Schema.Finite), Schema.optional(Schema.Date)]
    })
    const encode = (...args: Event.Args<typeof event>) => value(event.codec.encodeArgs(args))
    assert.deepStrictEqual(encode("a"), ["a"])
    assert.deepStrictEqual(encode("a", 1), ["a", 1])
    assert.deepStrictEqual(encode("a", 1, undefined), ["a", 1])
    assert.deepStrictEqual(encode("a", 1, new Date(0)), ["a", 1, "1970-01-01T00:00:00.000Z"])
    assert.deepStrictEqual(value(event.codec.encodeArgs(["a", undefined, undefined] as never)), ["a"])
    assert.deepStrictEqual(value(event.codec.decodeArgs(["a"])), ["a"])
    // What an official client sends for emit("e", "a", 1, undefined).
    assert.deepStrictEqual(value(event.codec.decodeArgs(["a", 1, null])), ["a", 1, undefined])
    assert.deepStrictEqual(issue(event.codec.decodeArgs(["a", 1, null, null])).path, [3])
  })

  it("a required undefined is null on the wire", () => {
    const event = Event.make({ args: [Schema.UndefinedOr(Schema.String), Schema.String] })
    const wire = value(event.codec.encodeArgs([undefined, "b"]))
    assert.deepStrictEqual(wire, [null, "b"])
    assert.deepStrictEqual(value(event.codec.decodeArgs(send(wire))), [undefined, "b"])
    const last = Event.make({ args: [Schema.UndefinedOr(Schema.String)] })
    assert.deepStrictEqual(value(last.codec.encodeArgs([undefined])), [null])
  })

  it("a rest takes any number", () => {
    const event = Event.make({ args: Schema.TupleWithRest(Schema.Tuple([Schema.String]), [Schema.Finite]) })
    assert.deepStrictEqual(value(event.codec.decodeArgs(["a"])), ["a"])
    assert.deepStrictEqual(value(event.codec.decodeArgs(["a", 1, 2, 3])), ["a", 1, 2, 3])
    assert.deepStrictEqual(issue(event.codec.decodeArgs(["a", 1, "b"])).path, [2])
    const array = Event.make({ args: Schema.Array(Schema.Date) })
    const wire = value(array.codec.encodeArgs([new Date(0)]))
    assert.deepStrictEqual(value(array.codec.decodeArgs(send(wire))), [new Date(0)])
  })

  it("values of our own that do not fit are failures too", () => {
    const event = Event.make({ args: [Schema.String.check(Schema.isMaxLength(2))] })
    assert.deepStrictEqual(value(event.codec.encodeArgs(["ab"])), ["ab"])
    assert.deepStrictEqual(issue(event.codec.encodeArgs(["abc"])).path, [0])
  })

  it("tell whether they can hold attachments", () => {
    assert.isTrue(upload.codec.argsHaveBinary)
    assert.isFalse(Event.make({ args: [Schema.String] }).codec.argsHaveBinary)
    assert.isFalse(Event.make({ args: [] }).codec.argsHaveBinary)
    assert.isFalse(upload.codec.ackHasBinary)
    assert.isTrue(Event.make({ args: [], ack: Schema.Uint8Array }).codec.ackHasBinary)
    const dump = Schema.TaggedStruct("Dump", { bytes: Schema.Uint8Array })
    assert.isTrue(Event.make({ args: [], error: dump }).codec.ackHasBinary)
  })
})

describe("an event without ack and error", () => {
  const event = Event.make({ args: [Schema.String] })

  it("answers without arguments, and nothing for a failure", () => {
    assert.deepStrictEqual(value(event.codec.encodeAck(undefined)), [])
    assert.isUndefined(event.codec.encodeAckFailure(undefined as never))
    assert.isUndefined(event.codec.encodeInvalidPayload("e", { path: [], message: "" }))
    assert.isUndefined(event.codec.encodeHandlerFailed("e"))
  })

  it("takes any answer for void", () => {
    for (const args of [[], [1], [null, "x"]]) {
      assert.deepStrictEqual(value(event.codec.decodeAck(args)), { _tag: "Success", value: undefined })
    }
  })
})

describe("an event with an ack", () => {
  const event = Event.make({ args: [], ack: Schema.Struct({ id: Schema.Finite, at: Schema.Date }) })

  it("answers with the plain value", () => {
    const wire = value(event.codec.encodeAck({ id: 1, at: new Date(0) }))
    assert.deepStrictEqual(wire, [{ id: 1, at: "1970-01-01T00:00:00.000Z" }])
    assert.deepStrictEqual(value(event.codec.decodeAck(send(wire))), {
      _tag: "Success",
      value: { id: 1, at: new Date(0) }
    })
  })

  it("has no form for a failure", () => {
    assert.isUndefined(event.codec.encodeAckFailure(undefined as never))
    assert.isUndefined(event.codec.encodeInvalidPayload("e", { path: [], message: "" }))
    assert.isUndefined(event.codec.encodeHandlerFailed("e"))
  })

  it("refuses an answer that does not fit, or of two arguments", () => {
    assert.deepStrictEqual(issue(event.codec.decodeAck([{ id: "1" }])).path, ["id"])
    assert.deepStrictEqual(issue(event.codec.decodeAck([])).path, [])
    const fits = { id: 1, at: "1970-01-01T00:00:00.000Z" }
    assert.deepStrictEqual(issue(event.codec.decodeAck([fits, "more"])).path, [1])
  })

  it("reads an answer without arguments as an undefined or null value", () => {
    const optional = Event.make({ args: [], ack: Schema.UndefinedOr(Schema.String) })
    assert.deepStrictEqual(value(optional.codec.encodeAck(undefined)), [null])
    assert.deepStrictEqual(value(optional.codec.decodeAck([])), { _tag: "Success", value: undefined })
    assert.deepStrictEqual(value(optional.codec.decodeAck([null])), { _tag: "Success", value: undefined })
  })
})

describe("an event with an error", () => {
  const event = Event.make({
    args: [Schema.String],
    ack: Schema.Struct({ id: Schema.Finite }),
    error: Schema.Union([RoomClosed, NotFound])
  })
  const codec = event.codec

  it("answers a value in the envelope", () => {
    const wire = value(codec.encodeAck({ id: 1 }))
    assert.deepStrictEqual(wire, [{ ok: true, value: { id: 1 } }])
    assert.deepStrictEqual(value(codec.decodeAck(send(wire))), { _tag: "Success", value: { id: 1 } })
  })

  it("answers a declared error in the envelope, which comes back as an instance of its class", () => {
    const wire = value(codec.encodeAckFailure(new RoomClosed({ room: "lobby", at: new Date(0) })))
    assert.deepStrictEqual(wire, [
      { ok: false, error: { _tag: "RoomClosed", room: "lobby", at: "1970-01-01T00:00:00.000Z" } }
    ])
    const reply = value(codec.decodeAck(send(wire)))
    if (reply._tag !== "Failure") throw new Error(reply._tag)
    assert.instanceOf(reply.error, RoomClosed)
    assert.strictEqual(reply.error._tag, "RoomClosed")
    assert.deepStrictEqual((reply.error as RoomClosed).at, new Date(0))
    const other = value(codec.decodeAck(send(value(codec.encodeAckFailure(new NotFound())))))
    assert.isTrue(other._tag === "Failure" && other.error instanceof NotFound)
  })

  it("answers arguments that do not fit with InvalidPayload", () => {
    const exit = codec.decodeArgs([1])
    const wire = codec.encodeInvalidPayload("message", issue(exit))
    assert.deepStrictEqual(wire, [
      { ok: false, error: { _tag: "InvalidPayload", event: "message", path: [0], message: "Expected string" } }
    ])
    assert.deepStrictEqual(value(codec.decodeAck(send(wire!))), {
      _tag: "InvalidPayload",
      event: "message",
      path: [0],
      message: "Expected string"
    })
  })

  it("answers a handler that failed otherwise with HandlerFailed, and not with what it was", () => {
    const wire = codec.encodeHandlerFailed("message")
    assert.deepStrictEqual(wire, [{ ok: false, error: { _tag: "HandlerFailed", event: "message" } }])
    assert.deepStrictEqual(value(codec.decodeAck(send(wire!))), { _tag: "HandlerFailed", event: "message" })
  })

  it("refuses what is no envelope, with the path inside of it", () => {
    for (const answer of [null, 1, "ok", [], [true], {}, { ok: 1 }, { ok: "true" }, { value: { id: 1 } }]) {
      assert.include(issue(codec.decodeAck([answer])).message, "an acknowledgement")
    }
    assert.include(issue(codec.decodeAck([])).message, "an acknowledgement")
    assert.deepStrictEqual(issue(codec.decodeAck([{ ok: true, value: { id: "1" } }])).path, ["value", "id"])
    assert.deepStrictEqual(issue(codec.decodeAck([{ ok: true }])).path, ["value"])
    assert.deepStrictEqual(issue(codec.decodeAck([{ ok: false, error: { _tag: "Other" } }])).path.slice(0, 1), [
      "error"
    ])
    assert.deepStrictEqual(issue(codec.decodeAck([{ ok: false }])).path.slice(0, 1), ["error"])
    const inherited: unknown = JSON.parse('{"__proto__":{"ok":true,"value":{"id":1}}}')
    assert.include(issue(codec.decodeAck([inherited])).message, "an acknowledgement")
  })

  it("a fault without its fields, or with monstrous ones, is contained", () => {
    const decode = (error: unknown) => codec.decodeAck([{ ok: false, error }])
    assert.isTrue(Exit.isFailure(decode({ _tag: "HandlerFailed" })))
    assert.isTrue(Exit.isFailure(decode({ _tag: "InvalidPayload", event: 1 })))
    assert.deepStrictEqual(value(decode({ _tag: "InvalidPayload", event: "e" })), {
      _tag: "InvalidPayload",
      event: "e",
      path: [],
      message: ""
    })
    const reply = value(
      decode({
        _tag: "InvalidPayload",
        event: "e".repeat(10_000),
        path: ["a".repeat(10_000), ...Array.from({ length: 1000 }, () => 1)],
        message: "m".repeat(10_000)
      })
    )
    if (reply._tag !== "InvalidPayload") throw new Error(reply._tag)
    assert.isAtMost(reply.event.length, PayloadIssue.maxMessageLength + 1)
    assert.strictEqual(reply.path.length, PayloadIssue.maxPathLength)
    assert.isAtMost(String(reply.path[0]).length, PayloadIssue.maxMessageLength + 1)
    assert.isAtMost(reply.message.length, PayloadIssue.maxMessageLength + 1)
  })

  it("without an ack the envelope has no value", () => {
    const rename = Event.make({ args: [], error: NotFound })
    assert.deepStrictEqual(value(rename.codec.encodeAck(undefined)), [{ ok: true }])
    for (const answer of [{ ok: true }, { ok: true, value: 1 }]) {
      assert.deepStrictEqual(value(rename.codec.decodeAck([answer])), { _tag: "Success", value: undefined })
    }
  })

  it("decoding any answer is total", async () => {
    const answers = Schema.Array(Schema.Union([Schema.Json, Schema.Struct({ ok: Schema.Boolean, error: Schema.Json })]))
    const result = await Effect.runPromise(
      Arbitrary.checkEffect(
        Arbitrary.schema(answers),
        (args) => Effect.sync(() => Exit.isExit(codec.decodeAck(args)) && Exit.isExit(codec.decodeArgs(args))),
        property(300)
      )
    )
    assert.isUndefined(Arbitrary.formatCheckFailure(result))
  })
})

describe("declaring an event", () => {
  it("refuses a concurrency below 1 and fractions", () => {
    for (const concurrency of [0, -1, 1.5, Number.NaN, Infinity]) {
      assert.throws(() => Event.make({ args: [], concurrency }), TypeError)
    }
    assert.strictEqual(Event.make({ args: [], concurrency: 1 }).concurrency, 1)
    assert.strictEqual(Event.make({ args: [] }).concurrency, "unbounded")
  })

  it("refuses an error whose tag is that of a fault, also in a union or a class", () => {
    const tagged = (tag: string): Schema.ConstraintCodec<unknown, unknown> => Schema.TaggedStruct(tag, {})
    class InvalidPayload extends Schema.TaggedError<InvalidPayload>()("InvalidPayload", {}) {}
    const classes: Schema.ConstraintCodec<unknown, unknown> = InvalidPayload
    for (const error of [tagged("HandlerFailed"), Schema.Union([tagged("Other"), tagged("InvalidPayload")]), classes]) {
      assert.throws(() => Event.make({ args: [], error }), /reserved/)
    }
    assert.doesNotThrow(() => Event.make({ args: [], error: tagged("Other") }))
  })

  it("does not run what is suspended: contracts may refer to schemas of later lines", () => {
    const event = Event.make({ args: [Schema.suspend(() => Later)], error: Schema.suspend(() => Later) })
    const Later = Schema.Struct({ _tag: Schema.tag("Later") })
    assert.deepStrictEqual(value(event.codec.decodeArgs([{ _tag: "Later" }])), [{ _tag: "Later" }])
  })

  it("keeps its schemas for documentation", () => {
    const ack = Schema.Finite
    const event = Event.make({ args: [Schema.String], ack })
    assert.strictEqual(event.ackSchema, ack)
    assert.isUndefined(event.errorSchema)
    assert.isTrue(Schema.isSchema(event.argsSchema))
  })
})

describe("an event without a contract", () => {
  const { codec } = Event.untyped

  it("passes arguments and answers as they are", () => {
    const args = [1, { a: new Uint8Array(1) }, undefined]
    assert.strictEqual(value(codec.decodeArgs(args)), args)
    assert.strictEqual(value(codec.encodeArgs(args)), args)
    assert.deepStrictEqual(value(codec.encodeAck("x")), ["x"])
    assert.deepStrictEqual(value(codec.encodeAck(undefined)), [])
    assert.deepStrictEqual(value(codec.decodeAck(["x", "y"])), { _tag: "Success", value: "x" })
    assert.deepStrictEqual(value(codec.decodeAck([])), { _tag: "Success", value: undefined })
    assert.isUndefined(codec.encodeHandlerFailed("e"))
    assert.isTrue(codec.argsHaveBinary && codec.ackHasBinary)
  })
})
