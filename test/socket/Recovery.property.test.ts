/**
 * Whatever is emitted and whatever is lost: a client gets every event for it once and in order, or is told that it begins anew.
 *
 * The client is as simple as the official one: it remembers its private id and the last text that an event ended with.
 */
import { assert, describe, it } from "@effect/vitest"
import { Event, Namespace } from "effect-socketio/contract"
import * as Arbitrary from "effect/Arbitrary"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { TestClock } from "effect/testing"
import * as SocketPacket from "../../src/protocol/SocketPacket.ts"
import * as Middleware from "../../src/socket/Middleware.ts"
import * as SocketServer from "../../src/socket/SocketServer.ts"
import type { Socket } from "../../src/socket/Socket.ts"
import { property } from "../properties.ts"
import * as Fake from "./FakeSession.ts"
import { makeLog } from "./RecoveryLog.ts"

const Line = Namespace.make("/line", {
  fromServer: {
    event: Event.make({ args: [Schema.Int] }),
    noise: Event.make({ args: [Schema.String] }),
    bare: Event.make({ args: [] })
  }
})
const nsp = "/line"

/** What happens next; `count` is of frames that are lost, of events that are stored, of seconds that pass. */
const Step = Schema.Struct({
  act: Schema.Literals([
    "to all",
    "to all",
    "to its room",
    "to its room",
    "to itself",
    "to itself",
    "not to it",
    "volatile",
    "bare",
    "store",
    "store",
    "lose",
    "lose",
    "come back",
    "come back",
    "come back",
    "middleware waits",
    "middleware decides",
    "time"
  ]),
  count: Schema.Literals([0, 1, 1, 2, 3, 10, 50])
})

const steps = Arbitrary.schema(Schema.Array(Step).check(Schema.isMinLength(20), Schema.isMaxLength(60)))

/** A client that has seen what reached it. */
class Client {
  fake: Fake.FakeClient | undefined = undefined
  pid: string | undefined = undefined
  offset: string | undefined = undefined
  /** The numbers that arrived, a list for each time it began anew. */
  readonly runs: Array<Array<number>> = []
  #read = 0

  /** Takes what has arrived: the first frames. */
  read(fake: Fake.FakeClient, frames: number): void {
    for (const packet of fake.packets.slice(this.#read, frames)) {
      this.#read++
      if (packet.type === SocketPacket.CONNECT) {
        const { pid } = packet.data as { readonly pid: string }
        if (pid !== this.pid) {
          this.runs.push([])
          this.offset = undefined
        }
        this.pid = pid
      } else if (packet.type === SocketPacket.EVENT) {
        const last = packet.data.at(-1)
        if (typeof last === "string") this.offset = last
        if (packet.data[0] === "event") this.runs.at(-1)!.push(packet.data[1] as number)
      }
    }
  }

  begin(fake: Fake.FakeClient): void {
    this.fake = fake
    this.#read = 0
  }

  get claim(): SocketPacket.JsonObject {
    const { offset, pid } = this
    return { ...(pid === undefined ? {} : { pid }), ...(offset === undefined ? {} : { offset }) }
  }
}

const consecutive = (numbers: ReadonlyArray<number>): boolean =>
  numbers.every((number, index) => index === 0 || number === numbers[index - 1]! + 1)

const play = (steps: ReadonlyArray<typeof Step.Type>, stored: "at once" | "later") =>
  Effect.gen(function* () {
    const log = makeLog({ manual: true })
    let gate: Deferred.Deferred<void> | undefined
    const slow = Middleware.make(() => (gate === undefined ? Effect.void : Deferred.await(gate)))
    const sockets: Array<Socket<typeof Line>> = []
    const Live = SocketServer.namespace(Line, (socket) =>
      Effect.andThen(
        Effect.sync(() => sockets.push(socket)),
        socket.join("mine")
      )
    ).pipe(Layer.provide(slow))
    const options = { connectionStateRecovery: { storeTimeout: "1 hour" } } as const
    const server = yield* Fake.make(Live, options, stored === "later" ? log.layer : undefined)
    const line = yield* SocketServer.handle(Line).pipe(Effect.provide(server.context))
    const client = new Client()
    let emitted = 0
    let appended = 0
    let completed = 0
    const store = (count: number): void => {
      if (stored === "at once") return
      for (let i = 0; i < count && completed < appended; i++) log.complete(completed++)
    }
    const comeBack = (): void => {
      if (client.fake !== undefined) return
      client.begin(server.connected(nsp, client.claim))
    }
    const lose = (frames: number): void => {
      const { fake } = client
      if (fake === undefined) return
      client.read(fake, Math.max(fake.packets.length - frames, 0))
      client.fake = undefined
      fake.lose()
    }
    const decide = Effect.suspend(() => {
      const waiting = gate
      gate = undefined
      return waiting === undefined
        ? Effect.void
        : Effect.andThen(Deferred.succeed(waiting, undefined), TestClock.adjust(0))
    })
    for (const { act, count } of steps) {
      const socket = sockets.at(-1)
      switch (act) {
        case "to all":
          appended++
          yield* line.emit("event", ++emitted)
          break
        case "to its room":
          appended++
          yield* line.to("mine").emit("event", ++emitted)
          break
        case "to itself":
          if (socket === undefined) break
          // To whoever has that id now, or comes back with it.
          appended++
          yield* line.to(["mine", socket.id]).emit("event", ++emitted)
          break
        case "not to it":
          appended++
          yield* line.to("others").emit("event", -1)
          break
        case "volatile":
          yield* line.volatile.emit("noise", String(emitted * 7))
          break
        case "bare":
          yield* line.volatile.emit("bare")
          break
        case "store":
          store(count)
          break
        case "lose":
          lose(count)
          break
        case "come back":
          comeBack()
          break
        case "middleware waits":
          gate ??= yield* Deferred.make<void>()
          break
        case "middleware decides":
          yield* decide
          break
        case "time":
          yield* TestClock.adjust(count * 1000)
          break
      }
    }
    yield* decide
    store(Number.POSITIVE_INFINITY)
    lose(0)
    comeBack()
    appended++
    yield* line.emit("event", ++emitted)
    store(1)
    client.read(client.fake!, Number.POSITIVE_INFINITY)
    for (const run of client.runs) assert.isTrue(consecutive(run), JSON.stringify(client.runs))
    const all = client.runs.flat()
    assert.deepStrictEqual(
      all,
      [...new Set(all)].sort((a, b) => a - b)
    )
    assert.strictEqual(client.runs.at(-1)!.at(-1), emitted)
    assert.deepStrictEqual(server.reports, [])
    return { runs: client.runs.length, ...server.server.core.counters }
  })

for (const stored of ["at once", "later"] as const) {
  describe(`events that are stored ${stored}`, () => {
    let recovered = 0
    let replayed = 0

    it.effect.prop(
      "arrive once and in order as long as the client is recovered",
      { steps },
      ({ steps }) =>
        Effect.gen(function* () {
          const outcome = yield* play(steps, stored)
          recovered += outcome.recovered
          replayed += outcome.replayed
        }).pipe(Effect.scoped),
      { arbitrary: property(150) }
    )

    it("… which it is, often, and with something to send again", () => {
      assert.isAbove(recovered, 100)
      assert.isAbove(replayed, 100)
    })
  })
}
