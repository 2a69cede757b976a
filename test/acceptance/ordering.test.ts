/** Order and completeness of text and binary events across the upgrade, in both directions and under load. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as SocketClient from "../../src/client/index.ts"
import { Event, Namespace } from "../../src/contract/index.ts"
import type { Socket } from "../../src/socket/Socket.ts"
import * as SocketServer from "../../src/socket/SocketServer.ts"
import * as MemoryNetwork from "../../src/testing/MemoryNetwork.ts"
import * as Testing from "../../src/testing/Testing.ts"

const item = Event.make({ args: [Schema.Int, Schema.Uint8Array, Schema.Struct({ inner: Schema.Uint8Array })] })
const plain = Event.make({ args: [Schema.Int] })

const Flow = Namespace.make("/flow", { fromClient: { item, plain }, fromServer: { item, plain } })

const bytesOf = (i: number, length: number): Uint8Array => Uint8Array.from({ length }, (_, k) => (i + k) % 256)

/** What both sides do: every third event has two attachments. */
const emit = (to: Pick<SocketClient.Socket<typeof Flow>, "emit"> | Pick<Socket<typeof Flow>, "emit">, i: number) =>
  i % 3 === 0
    ? (to.emit as Socket<typeof Flow>["emit"])("item", i, bytesOf(i, 5), { inner: bytesOf(i + 1, i % 50) })
    : (to.emit as Socket<typeof Flow>["emit"])("plain", i)

const check =
  (got: Array<number>) =>
  (i: number, bytes: Uint8Array, { inner }: { readonly inner: Uint8Array }) =>
    Effect.sync(() => {
      assert.deepStrictEqual([...bytes], [...bytesOf(i, 5)])
      assert.deepStrictEqual([...inner], [...bytesOf(i + 1, i % 50)])
      got.push(i)
    })

const perStep = 7
const steps = 120
const all = Array.from({ length: perStep * steps }, (_, i) => i)

describe("events in both directions while the transport changes", () => {
  for (const [latency, bandwidth] of [
    [0, undefined],
    [1, undefined],
    [13, undefined],
    [60, 40_000]
  ] as const) {
    it.effect(
      `latency ${latency} ms${bandwidth === undefined ? "" : ", a slow line"}: nothing lost, doubled, reordered`,
      () => {
        const atServer: Array<number> = []
        const sockets: Array<Socket<typeof Flow>> = []
        const live = SocketServer.namespace(Flow, (socket) =>
          Effect.gen(function* () {
            sockets.push(socket)
            yield* socket.on("item", check(atServer))
            yield* socket.on("plain", (i) => Effect.sync(() => void atServer.push(i)))
          })
        )
        return Effect.gen(function* () {
          const network = yield* MemoryNetwork.MemoryNetwork
          yield* network.latency(latency)
          if (bandwidth !== undefined) yield* network.bandwidth(bandwidth)
          const atClient: Array<number> = []
          const client = yield* SocketClient.connect(Flow, { url: Testing.url, wait: false })
          yield* client.on("item", check(atClient))
          yield* client.on("plain", (i) => Effect.sync(() => void atClient.push(i)))
          const transports = new Set<string>()
          let fromServer = 0
          for (let step = 0; step < steps; step++) {
            for (let k = 0; k < perStep; k++) {
              yield* emit(client, step * perStep + k)
              const socket = sockets[0]
              if (socket !== undefined) yield* emit(socket, fromServer++)
            }
            if (sockets[0] !== undefined) transports.add(sockets[0].conn.transport)
            yield* MemoryNetwork.adjust(3)
          }
          for (; fromServer < all.length; fromServer++) yield* emit(sockets[0]!, fromServer)
          yield* MemoryNetwork.adjust("1 minute")
          assert.deepStrictEqual(atServer, all)
          assert.deepStrictEqual(atClient, all)
          assert.strictEqual(sockets.length, 1)
          assert.strictEqual(sockets[0]?.conn.transport, "websocket")
          // Some of it went over each.
          if (latency > 0) assert.isTrue(transports.has("polling"))
        }).pipe(Effect.scoped, Effect.provide(Layer.fresh(Testing.layer(live)), { local: true }))
      }
    )
  }
})
