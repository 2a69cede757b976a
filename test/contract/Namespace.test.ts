/**
 * The contract of a namespace at run time: events by name, auth, refusals and data.
 */
import { Event, Namespace } from "effect-socketio/contract"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import { assert, describe, it } from "vitest"
import { HandlerFailed, InvalidPayload, fromFault } from "../../src/runtime/PayloadError.ts"

class Unauthorized extends Schema.TaggedError<Unauthorized>()("Unauthorized", { until: Schema.Date }) {}
class Banned extends Schema.TaggedError<Banned>()("Banned", { message: Schema.String }) {}

const message = Event.make({ args: [Schema.String] })
const Chat = Namespace.make("/chat", {
  auth: Schema.Struct({ username: Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(24)) }),
  authMessage: "invalid username",
  refusal: Schema.Union([Unauthorized, Banned]),
  data: Schema.Struct({ username: Schema.String, since: Schema.Date }),
  fromClient: { message },
  fromServer: { message, tick: Event.make({ args: [] }) },
  betweenServers: { reload: Event.make({ args: [] }) }
})

describe("events by name", () => {
  it("each side has its own", () => {
    assert.strictEqual(Chat.clientEvent("message"), message)
    assert.isUndefined(Chat.clientEvent("tick"))
    assert.strictEqual(Chat.serverEvent("tick"), Chat.fromServer.tick)
    assert.strictEqual(Chat.betweenServersEvent("reload"), Chat.betweenServers.reload)
    assert.isUndefined(Chat.betweenServersEvent("message"))
  })

  it("names of a prototype and other types are no events", () => {
    for (const name of [
      "__proto__",
      "constructor",
      "toString",
      "hasOwnProperty",
      0,
      null,
      undefined,
      {},
      ["message"]
    ]) {
      assert.isUndefined(Chat.clientEvent(name))
    }
  })

  it("Socket.IO's own names cannot be declared", () => {
    for (const name of ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"]) {
      const events = { [name]: message } as never
      assert.throws(() => Namespace.make("/a", { fromClient: events }), /Socket\.IO itself/)
      assert.throws(() => Namespace.make("/a", { fromServer: events }), TypeError)
      assert.throws(() => Namespace.make("/a", { betweenServers: events }), TypeError)
    }
  })
})

describe("auth", () => {
  const decoded = (input: unknown) => Chat.auth.decode(input)

  it("goes out as it is declared", () => {
    assert.isFalse(Chat.auth.hasBinary)
    assert.deepStrictEqual(Chat.auth.encode({ username: "ada" }), Exit.succeed({ username: "ada" }))
    assert.isTrue(Exit.isFailure(Chat.auth.encode({ username: "" })))
  })

  it("is decoded at its limits", () => {
    assert.isTrue(Exit.isSuccess(decoded({ username: "a" })))
    assert.isTrue(Exit.isSuccess(decoded({ username: "a".repeat(24) })))
    for (const input of [{ username: "" }, { username: "a".repeat(25) }, {}, undefined, null, "a", []]) {
      assert.isTrue(Exit.isFailure(decoded(input)))
    }
  })

  it("a failure has the message of the contract", () => {
    const exit = decoded({})
    if (Exit.isSuccess(exit)) throw new Error("expected a failure")
    assert.strictEqual(Chat.auth.refusalMessage(exit.cause), "invalid username")
    const auth = Schema.Struct({ token: Schema.String })
    assert.strictEqual(Namespace.make("/a", { auth }).auth.refusalMessage(exit.cause), "invalid auth")
    const Told = Namespace.make("/a", { auth, authMessage: ({ path }) => `wrong: ${path.join(".")}` })
    assert.strictEqual(Told.auth.refusalMessage(exit.cause), "wrong: username")
  })

  it("a client that sends nothing sends an empty object", () => {
    const Open = Namespace.make("/a", { auth: Schema.Struct({ token: Schema.optionalKey(Schema.String) }) })
    assert.deepStrictEqual(Open.auth.decode(undefined), Exit.succeed({}))
    assert.deepStrictEqual(Namespace.make("/a", {}).auth.decode(undefined), Exit.succeed({}))
    assert.deepStrictEqual(Namespace.make("/a", {}).auth.decode({ any: 1 }), Exit.succeed({ any: 1 }))
  })
})

describe("refusals", () => {
  it("carry a message for people and data for programs, and come back as instances", () => {
    const until = new Date(0)
    const wire = Chat.refusal.encode(new Unauthorized({ until }))
    assert.deepStrictEqual(
      wire,
      Exit.succeed({
        message: "Unauthorized",
        data: { _tag: "Unauthorized", until: "1970-01-01T00:00:00.000Z" }
      })
    )
    if (Exit.isFailure(wire)) throw new Error("expected a refusal")
    const back = Chat.refusal.decode(JSON.parse(JSON.stringify(wire.value)))
    if (Exit.isFailure(back)) throw new Error("expected a refusal")
    assert.instanceOf(back.value, Unauthorized)
    const banned = Chat.refusal.encode(new Banned({ message: "go away" }))
    assert.isTrue(Exit.isSuccess(banned) && banned.value.message === "go away")
  })

  it("those of the server itself are not declared ones", () => {
    for (const wire of [{ message: "Invalid namespace" }, { message: "invalid username", data: { a: 1 } }]) {
      assert.isTrue(Exit.isFailure(Chat.refusal.decode(wire)))
      assert.isTrue(Exit.isFailure(Namespace.make("/a", {}).refusal.decode(wire)))
    }
    assert.isUndefined(Namespace.make("/a", {}).refusal.schema)
  })

  it("what is not declared does not encode", () => {
    assert.isTrue(Exit.isFailure(Chat.refusal.encode(new Error("x") as never)))
    assert.isTrue(Exit.isFailure(Namespace.make("/a", {}).refusal.encode("x" as never)))
  })

  it("without a contract they are Socket.IO's", () => {
    const { refusal } = Namespace.untyped("/legacy")
    const error = Object.assign(new Error("not authorized"), { data: { code: 401 } })
    assert.deepStrictEqual(refusal.encode(error), Exit.succeed({ message: "not authorized", data: { code: 401 } }))
    assert.deepStrictEqual(refusal.encode({ message: "no" }), Exit.succeed({ message: "no" }))
    assert.deepStrictEqual(refusal.decode({ message: "no", data: 1 }), Exit.succeed({ message: "no", data: 1 }))
  })
})

describe("the message of a refusal", () => {
  const messageOf = (refusal: unknown) => {
    const wire = Namespace.untyped("/legacy").refusal.encode(refusal as never)
    return Exit.isSuccess(wire) ? wire.value.message : undefined
  }

  it("is what the value says of itself", () => {
    assert.strictEqual(messageOf("no"), "no")
    assert.strictEqual(messageOf(new Error("no")), "no")
    assert.strictEqual(messageOf({ _tag: "Banned", message: "" }), "Banned")
    assert.strictEqual(messageOf({ _tag: "Banned" }), "Banned")
    for (const nothing of [{}, { _tag: 1 }, null, undefined, 7]) assert.strictEqual(messageOf(nothing), "refused")
  })
})

describe("data", () => {
  it("goes to other nodes and back", () => {
    const data = { username: "ada", since: new Date(0) }
    const wire = Chat.data.encode(data)
    assert.deepStrictEqual(wire, Exit.succeed({ username: "ada", since: "1970-01-01T00:00:00.000Z" }))
    assert.deepStrictEqual(Chat.data.decode(Exit.isSuccess(wire) ? wire.value : undefined), Exit.succeed(data))
    const any = { a: 1 }
    assert.deepStrictEqual(Namespace.make("/a", {}).data.decode(any), Exit.succeed(any))
  })
})

describe("a namespace without a contract", () => {
  const Legacy = Namespace.untyped("/legacy")

  it("has every event but Socket.IO's own", () => {
    for (const name of ["anything", "__proto__", 7]) {
      assert.strictEqual(Legacy.clientEvent(name), Event.untyped)
      assert.strictEqual(Legacy.serverEvent(name), Event.untyped)
    }
    for (const name of ["connect", "disconnect", null, undefined, {}]) assert.isUndefined(Legacy.clientEvent(name))
  })

  it("takes any auth and data as they are", () => {
    const any = { a: new Uint8Array(1) }
    for (const codec of [Legacy.auth, Legacy.data]) {
      assert.isTrue(codec.hasBinary)
      assert.deepStrictEqual(codec.encode(any as never), Exit.succeed(any))
      assert.deepStrictEqual(codec.decode(any), Exit.succeed(any))
    }
    assert.deepStrictEqual(Legacy.auth.decode(undefined), Exit.succeed({}))
  })

  it("takes all kinds of paths", () => {
    assert.deepStrictEqual(Namespace.untyped("/org/:id").match("/org/1", {}), { id: "1" })
    assert.isDefined(Namespace.untyped(/^\/x/).match("/xy", {}))
    assert.isUndefined(Namespace.untyped(() => false).match("/", {}))
  })
})

describe("the errors of faults", () => {
  it("are tagged, with what is needed to react", () => {
    const invalid = fromFault({ _tag: "InvalidPayload", event: "message", path: [0], message: "Expected string" })
    assert.instanceOf(invalid, InvalidPayload)
    assert.strictEqual(invalid.message, "Expected string")
    assert.isTrue(invalid._tag === "InvalidPayload" && invalid.event === "message" && invalid.path[0] === 0)
    const failed = fromFault({ _tag: "HandlerFailed", event: "message" })
    assert.instanceOf(failed, HandlerFailed)
    assert.strictEqual(failed.message, 'the handler of "message" failed')
  })
})
