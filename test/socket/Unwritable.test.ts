/** What the program gives and the wire has no form for: whoever waits for it is told. */
import { assert, describe, it } from "@effect/vitest"
import { Event, Namespace } from "effect-socketio/contract"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Middleware from "../../src/socket/Middleware.ts"
import * as SocketServer from "../../src/socket/SocketServer.ts"
import * as Fake from "./FakeSession.ts"

const cyclic: { self?: unknown } = {}
cyclic.self = cyclic

const Untyped = Namespace.untyped("/")

const Open = Namespace.make("/open", {
  fromClient: { ask: Event.make({ args: [], ack: Schema.Any, error: Schema.String }) }
})

describe("a cycle or a BigInt", () => {
  it.effect("as the data of a refusal: the client is refused all the same, the sink learns why there is no data", () =>
    Effect.gen(function* () {
      const refuse = Middleware.make(() => Effect.fail({ message: "not you", data: cyclic }))
      const server = yield* Fake.make(SocketServer.namespace(Untyped, () => Effect.void).pipe(Layer.provide(refuse)))
      assert.deepStrictEqual(server.connected("/").refusal("/"), { message: "not you" })
      assert.deepStrictEqual(
        server.reports.map(({ stage }) => stage),
        ["middleware"]
      )
    })
  )

  it.effect("as an answer: a caller with an envelope gets HandlerFailed, and it counts as no answer given", () =>
    Effect.gen(function* () {
      const server = yield* Fake.make(
        SocketServer.namespace(Open, (socket) => socket.on("ask", () => Effect.succeed(1n)))
      )
      const client = server.connected("/open")
      client.ask("/open", 4, "ask")
      assert.deepStrictEqual(client.acks.get(4), [{ ok: false, error: { _tag: "HandlerFailed", event: "ask" } }])
      assert.strictEqual(server.server.core.counters.acksSent, 1)
      assert.deepStrictEqual(
        server.reports.map(({ event, stage }) => [stage, event]),
        [["event", "ask"]]
      )
    })
  )

  it.effect("as a question: it fails at once and nobody waits for the timeout", () =>
    Effect.gen(function* () {
      const exits: Array<Exit.Exit<unknown, unknown>> = []
      const server = yield* Fake.make(
        SocketServer.namespace(Untyped, (socket) =>
          Effect.map(Effect.exit(socket.emitWithAck("ask", cyclic)), (exit) => exits.push(exit))
        )
      )
      const client = server.connected("/")
      const error = exits[0] !== undefined && Exit.isFailure(exits[0]) ? exits[0].cause.reasons[0] : undefined
      assert.include(JSON.stringify(error), "InvalidPayload")
      assert.deepStrictEqual(client.events, [])
      assert.strictEqual(server.reports.length, 1)
      assert.strictEqual(server.server.core.deadlines.size, 0)
    })
  )
})

describe("an error that throws when it is looked at", () => {
  it.effect("refuses its client without words", () =>
    Effect.gen(function* () {
      const error = {
        get message(): string {
          throw new Error("no")
        }
      }
      const server = yield* Fake.make(
        SocketServer.namespace(Untyped, () => Effect.void).pipe(
          Layer.provide(Middleware.make(() => Effect.fail(error)))
        )
      )
      assert.deepStrictEqual(server.connected("/").refusal("/"), { message: "refused" })
    })
  )
})
