/** Promises that hold whatever the network does, over any sequence of faults. */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as SocketClient from "../../src/client/index.ts"
import { Event, Namespace } from "../../src/contract/index.ts"
import type { Socket } from "../../src/socket/Socket.ts"
import * as SocketServer from "../../src/socket/SocketServer.ts"
import * as MemoryNetwork from "../../src/testing/MemoryNetwork.ts"
import * as Testing from "../../src/testing/Testing.ts"
import { property } from "../properties.ts"

const Line = Namespace.make("/line", {
  fromClient: { put: Event.make({ args: [Schema.Int], ack: Schema.Int }) },
  fromServer: { got: Event.make({ args: [Schema.Int] }) }
})

/** Emits some events, then something happens to the network, then time passes. */
const Step = Schema.Struct({
  emits: Schema.Literals([0, 1, 1, 2, 5]),
  fault: Schema.Literals([
    "none",
    "none",
    "cut",
    "reset",
    "freeze",
    "freeze to server",
    "freeze to client",
    "lose",
    "heal",
    "heal",
    "heal",
    "refuse upgrade",
    "fast",
    "slow"
  ]),
  wait: Schema.Literals([0, 0, 1, 20, 120, 1500, 6000, 50_000])
})

// Schedules that are long enough for one fault to meet the consequences of another.
const steps = Arbitrary.schema(Schema.Array(Step).check(Schema.isMinLength(15), Schema.isMaxLength(30)))

const act = (network: MemoryNetwork.MemoryNetwork["Service"], step: typeof Step.Type): Effect.Effect<void> => {
  switch (step.fault) {
    case "none":
      return Effect.void
    case "cut":
      return network.cut()
    case "reset":
      return network.reset()
    case "freeze":
      return network.freeze()
    case "freeze to server":
      return network.freeze({ direction: "toServer" })
    case "freeze to client":
      return network.freeze({ direction: "toClient" })
    case "lose":
      return network.lose()
    case "heal":
      return network.heal()
    case "refuse upgrade":
      return network.refuse({ over: "websocket" })
    case "fast":
      return network.latency(0)
    case "slow":
      return network.latency({ toServer: "300 millis", toClient: "150 millis" })
  }
}

const live = (received: Array<number>, sockets: Array<Socket<typeof Line>> = []) =>
  SocketServer.namespace(
    Line,
    Effect.fnUntraced(function* (socket) {
      sockets.push(socket)
      yield* socket.on("put", (number) =>
        Effect.as(
          Effect.sync(() => received.push(number)),
          number
        )
      )
    })
  )

const increasing = (numbers: ReadonlyArray<number>): boolean =>
  numbers.every((number, index) => index === 0 || number > numbers[index - 1]!)

const runs = { arbitrary: property(40) }

for (const [way, options] of [
  ["polling", { transports: ["polling"] }],
  ["websocket", { transports: ["websocket"] }],
  ["upgrade", {}]
] as const) {
  describe(`over ${way}, whatever the network does`, () => {
    it.effect.prop(
      "events arrive at most once, in order, in both directions",
      { steps },
      ({ steps }) => {
        const received: Array<number> = []
        const sockets: Array<Socket<typeof Line>> = []
        return Effect.gen(function* () {
          const network = yield* MemoryNetwork.MemoryNetwork
          const client = yield* SocketClient.connect(Line, { url: Testing.url, ...options, wait: false })
          const got: Array<number> = []
          yield* client.on("got", (number) => Effect.sync(() => void got.push(number)))
          let sent = 0
          for (const step of steps) {
            for (let i = 0; i < step.emits; i++) {
              sent++
              yield* client.emit("put", sent)
              const socket = sockets.at(-1)
              if (socket !== undefined) yield* socket.emit("got", sent)
            }
            yield* act(network, step)
            yield* MemoryNetwork.adjust(step.wait)
          }
          yield* network.heal()
          yield* MemoryNetwork.adjust("3 minutes")
          assert.isTrue(client.connected)
          assert.isTrue(increasing(received), `received ${received.join(" ")}`)
          assert.isTrue(increasing(got), `got ${got.join(" ")}`)
        }).pipe(Effect.scoped, Effect.provide(Testing.layer(live(received, sockets)), { local: true }))
      },
      runs
    )

    it.effect.prop(
      "with retries every event arrives at least once, for the first time in order, and every caller gets its answer",
      { steps },
      ({ steps }) => {
        const received: Array<number> = []
        return Effect.gen(function* () {
          const network = yield* MemoryNetwork.MemoryNetwork
          const client = yield* SocketClient.connect(Line, {
            url: Testing.url,
            ...options,
            wait: false,
            retries: Number.POSITIVE_INFINITY,
            ackTimeout: "5 seconds"
          })
          const answers: Array<Fiber.Fiber<Exit.Exit<number, unknown>>> = []
          for (const step of steps) {
            for (let i = 0; i < step.emits; i++) {
              const question = client.emitWithAck("put", answers.length + 1)
              answers.push(yield* Effect.forkChild(Effect.exit(question), { startImmediately: true }))
            }
            yield* act(network, step)
            yield* MemoryNetwork.adjust(step.wait)
          }
          yield* network.heal()
          yield* network.latency(0)
          yield* MemoryNetwork.adjust("10 minutes")
          const firsts = [...new Set(received)]
          assert.deepStrictEqual(
            firsts,
            answers.map((_, index) => index + 1)
          )
          for (const [index, fiber] of answers.entries()) {
            const exit = yield* Fiber.join(fiber)
            assert.deepStrictEqual(exit, Exit.succeed(index + 1))
          }
        }).pipe(Effect.scoped, Effect.provide(Testing.layer(live(received)), { local: true }))
      },
      runs
    )

    it.effect.prop(
      "every question settles: with the answer, AckTimeout or Disconnected",
      { steps },
      ({ steps }) => {
        const received: Array<number> = []
        return Effect.gen(function* () {
          const network = yield* MemoryNetwork.MemoryNetwork
          const client = yield* SocketClient.connect(Line, { url: Testing.url, ...options, wait: false })
          const answers: Array<Fiber.Fiber<Exit.Exit<number, { readonly _tag: string }>>> = []
          for (const step of steps) {
            for (let i = 0; i < step.emits; i++) {
              const question = client.timeout("10 seconds").emitWithAck("put", answers.length + 1)
              answers.push(yield* Effect.forkChild(Effect.exit(question), { startImmediately: true }))
            }
            yield* act(network, step)
            yield* MemoryNetwork.adjust(step.wait)
          }
          yield* MemoryNetwork.adjust("1 minute")
          for (const fiber of answers) {
            const exit = fiber.pollUnsafe()
            assert.isDefined(exit, "a question is still open")
            if (exit === undefined || Exit.isFailure(exit) || Exit.isSuccess(exit.value)) continue
            const [reason] = exit.value.cause.reasons
            assert.include(
              ["AckTimeout", "Disconnected"],
              reason?._tag === "Fail" ? reason.error._tag : reason?._tag,
              "how it failed"
            )
          }
        }).pipe(Effect.scoped, Effect.provide(Testing.layer(live(received)), { local: true }))
      },
      runs
    )
  })
}
