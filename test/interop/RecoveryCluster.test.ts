/** A client comes back to another server, over Redis Streams, after its own was stopped, or said nothing more. */
import { assert, describe, it } from "@effect/vitest"
import { Event, Namespace } from "effect-socketio/contract"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { afterAll, beforeAll } from "vitest"
import * as RedisStreamsAdapter from "../../src/adapter/redis/RedisStreamsAdapter.ts"
import * as SocketPacket from "../../src/protocol/SocketPacket.ts"
import * as SocketServer from "../../src/socket/SocketServer.ts"
import type { Socket } from "../../src/socket/Socket.ts"
import * as Redis from "../brokers/Redis.ts"
import * as Fake from "../socket/FakeSession.ts"

const Line = Namespace.make("/line", {
  auth: Schema.Record(Schema.String, Schema.Unknown),
  data: Schema.Struct({ name: Schema.String }),
  fromServer: { tick: Event.make({ args: [Schema.Int] }), said: Event.make({ args: [Schema.String] }) }
})
const nsp = "/line"

let redis: Redis.RedisServer

/** Waits for what comes by way of the broker. */
const until = (what: string, condition: () => boolean): Effect.Effect<void> =>
  Effect.promise(async () => {
    const deadline = Date.now() + 15_000
    while (!condition()) {
      if (Date.now() > deadline) throw new Error(`waited for ${what}`)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  })

const node = (streamName: string, persist: "disconnect" | "always") =>
  Effect.gen(function* () {
    const sockets: Array<Socket<typeof Line>> = []
    const Live = SocketServer.namespace(Line, (socket) =>
      Effect.gen(function* () {
        sockets.push(socket)
        if (socket.recovered) return
        yield* socket.join("a")
        yield* socket.setData({ name: "someone" })
      })
    )
    const options = { streamName, channelPrefix: streamName, sessionKeyPrefix: `${streamName}:`, url: redis.url }
    const server = yield* Fake.make(
      Live,
      { connectionStateRecovery: { persist } },
      Layer.orDie(RedisStreamsAdapter.layer(options))
    )
    const line = yield* SocketServer.handle(Line).pipe(Effect.provide(server.context))
    return { server, sockets, line }
  })

/** What a client names that has seen so many packets. */
const claimOf = (client: Fake.FakeClient, seen = Number.POSITIVE_INFINITY): SocketPacket.JsonObject => {
  const claim: Record<string, unknown> = {}
  for (const packet of client.packets.slice(0, seen)) {
    if (packet.type === SocketPacket.CONNECT) claim["pid"] = (packet.data as { readonly pid: string }).pid
    const last = packet.type === SocketPacket.EVENT ? packet.data.at(-1) : undefined
    if (typeof last === "string") claim["offset"] = last
  }
  return claim
}

const firsts = (client: Fake.FakeClient): ReadonlyArray<unknown> => client.events.map(([, first]) => first)

describe.runIf(Redis.available)(`a client of a server on Redis Streams (${Redis.hint})`, () => {
  beforeAll(async () => {
    redis = await Redis.start()
  })
  afterAll(() => redis.stop())

  for (const how of ["is stopped", "says nothing, as if it was killed,"] as const) {
    it.live(`whose server ${how} is recovered by another: rooms, data, everything once and in order`, () =>
      Effect.gen(function* () {
        const persist = how === "is stopped" ? "disconnect" : "always"
        const one = yield* node(persist, persist)
        const two = yield* node(persist, persist)
        const first = one.server.connected(nsp)
        const [socket] = one.sockets
        // In the order of the program, whoever emits it.
        yield* one.line.emit("tick", 1)
        yield* socket!.emit("tick", 2)
        yield* one.line.to("a").emit("tick", 3)
        yield* one.line.local.emit("said", "here only")
        yield* until("the first events", () => first.events.length === 4)
        assert.deepStrictEqual(firsts(first), [1, 2, 3, "here only"])
        // It has not got the last ones.
        const claim = claimOf(first, 3)
        if (how === "is stopped") yield* one.server.stop
        yield* two.line.emit("tick", 4)
        yield* two.line.to("a").emit("tick", 5)
        yield* two.line.to("b").emit("tick", -1)
        yield* two.line.volatile.emit("tick", -2)
        const second = two.server.connected(nsp, claim)
        yield* two.line.emit("tick", 6)
        yield* until("the way back", () => two.sockets.length === 1)
        const back = two.sockets[0]!
        assert.strictEqual(back.recovery._tag, "Recovered")
        assert.strictEqual(back.id, socket!.id)
        assert.deepStrictEqual(back.data, { name: "someone" })
        assert.isTrue(back.rooms.has("a"))
        yield* two.line.emit("tick", 7)
        yield* until("the last event", () => firsts(second).includes(7))
        assert.deepStrictEqual(firsts(second), [3, 4, 5, 6, 7])
        // … and the socket that nobody needs any more has gone.
        yield* until("the end of the old socket", () => !socket!.connected)
        assert.deepStrictEqual(two.server.reports, [])
      })
    )
  }
})
