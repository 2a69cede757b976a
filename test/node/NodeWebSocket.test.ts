import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Http from "node:http"
import type { AddressInfo, Socket } from "node:net"
import { WebSocket } from "ws"
import type { WebSocketHandlers, WebSocketLike } from "../../src/engine/WebSocketLike.ts"
import * as NodeWebSocket from "../../src/node/NodeWebSocket.ts"
import * as FrameGroup from "../../src/protocol/FrameGroup.ts"
import { open, type RawSocket, until } from "./EchoEngine.ts"

interface Pair {
  readonly server: WebSocketLike
  readonly client: RawSocket
  readonly tcp: Socket
  readonly webSockets: NodeWebSocket.NodeWebSocketServer
}

const pairs = (count: number, maxPayload = 1e6, options: NodeWebSocket.NodeWebSocketOptions = {}, deflate = false) =>
  Effect.gen(function* () {
    const webSockets = NodeWebSocket.makeServer(maxPayload, options)
    const accepted: Array<{ readonly server: WebSocketLike; readonly tcp: Socket }> = []
    const http = yield* Effect.acquireRelease(
      Effect.callback<Http.Server>((resume) => {
        const server = Http.createServer()
        server.on("upgrade", (request, socket, head) =>
          webSockets.upgrade(request, socket, head, { "x-own": ["1", "2"], "x-bad": "a\r\nx-injected: 1" }, (ready) =>
            accepted.push({ server: ready, tcp: socket as Socket })
          )
        )
        server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
      }),
      (server) =>
        Effect.callback<void>((resume) => {
          webSockets.terminateAll()
          server.close(() => resume(Effect.void))
          server.closeAllConnections()
        })
    )
    const result: Array<Pair> = []
    for (let i = 0; i < count; i++) {
      const client = open(`http://127.0.0.1:${(http.address() as AddressInfo).port}/`, { perMessageDeflate: deflate })
      yield* until(() => client.ws.readyState === WebSocket.OPEN && accepted.length === i + 1)
      result.push({ ...accepted[i]!, client, webSockets })
    }
    return result as unknown as readonly [Pair, ...ReadonlyArray<Pair>]
  })

const listener = () => {
  const frames: Array<FrameGroup.Frame> = []
  const closes: Array<{ readonly code: number; readonly reason: string; readonly cause: unknown }> = []
  const state = { drained: 0 }
  const handlers: WebSocketHandlers = {
    onFrame: (frame) => void frames.push(frame),
    onDrain: () => void state.drained++,
    onClose: (code, reason, cause) => void closes.push({ code, reason, cause })
  }
  return { frames, closes, state, handlers }
}

const group = (head: FrameGroup.Frame, ...attachments: ReadonlyArray<Uint8Array>): FrameGroup.FrameGroup =>
  FrameGroup.make(head, attachments)

describe("NodeWebSocket", () => {
  it.live("sends and receives text and binary, whole groups in order", () =>
    Effect.gen(function* () {
      const [{ client, server }] = yield* pairs(1)
      const heard = listener()
      server.listen(heard.handlers)
      server.send([group("4a", Buffer.from([1]), Buffer.from([2])), group("4ü"), group(Buffer.from([3]))], true)
      for (const text of ["4a", "bAQ==", "bAg==", "4ü", "bAw=="]) assert.strictEqual(yield* client.next, text)
      client.ws.send("4x")
      client.ws.send(Buffer.from([9]))
      yield* until(() => heard.frames.length === 2)
      assert.strictEqual(heard.frames[0], "4x")
      assert.deepStrictEqual([...(heard.frames[1] as Buffer)], [9])
    }).pipe(Effect.scoped)
  )

  it.live("a batch is one write to the TCP socket", () =>
    Effect.gen(function* () {
      const [{ client, server, tcp }] = yield* pairs(1)
      const writes: Array<number> = []
      const write = tcp.write.bind(tcp)
      tcp.write = ((chunk: Buffer) => {
        writes.push(chunk.byteLength)
        return write(chunk)
      }) as typeof tcp.write
      server.send(
        Array.from({ length: 20 }, (_, i) => group(`4${i}`)),
        true
      )
      for (let i = 0; i < 20; i++) assert.strictEqual(yield* client.next, `4${i}`)
      assert.strictEqual(writes.length, 1)
    }).pipe(Effect.scoped)
  )

  it.live("a group for many is framed once, and all get the same", () =>
    Effect.gen(function* () {
      const all = yield* pairs(4)
      const shared = group("4all", Buffer.from([5]))
      const prepared: Array<unknown> = []
      for (const { server } of all) {
        server.send([shared], true)
        prepared.push(shared.prepared)
      }
      assert.isFalse(Buffer.isBuffer(prepared[0]))
      assert.isTrue(Buffer.isBuffer(prepared[1]))
      assert.strictEqual(prepared[3], prepared[1])
      // Alone, among others, and twice in one batch.
      all[0].server.send([group("4before"), shared, shared, group("4after")], true)
      for (const { client } of all) {
        assert.strictEqual(yield* client.next, "4all")
        assert.strictEqual(yield* client.next, "bBQ==")
      }
      const rest: Array<string> = []
      for (let i = 0; i < 6; i++) rest.push(yield* all[0].client.next)
      assert.deepStrictEqual(rest, ["4before", "4all", "bBQ==", "4all", "bBQ==", "4after"])
    }).pipe(Effect.scoped)
  )

  it.live("large attachments are not copied, and what is around them stays in order", () =>
    Effect.gen(function* () {
      const [{ client, server, tcp }] = yield* pairs(1)
      const large = Buffer.alloc(100_000, 7)
      const writes: Array<Uint8Array> = []
      const write = tcp.write.bind(tcp)
      tcp.write = ((chunk: Uint8Array) => {
        writes.push(chunk)
        return write(chunk)
      }) as typeof tcp.write
      server.send([group("4a", Buffer.from([1]), large), group("4b"), group(large)], true)
      server.send([group("4c", large)], true)
      for (const expected of ["4a", "bAQ==", large, "4b", large, "4c", large]) {
        const text = typeof expected === "string" ? expected : `b${expected.toString("base64")}`
        assert.strictEqual(yield* client.next, text)
      }
      assert.strictEqual(writes.filter((chunk) => chunk === large).length, 3)
    }).pipe(Effect.scoped)
  )

  it.live("what a turn broadcasts is joined once for all who get the same, and only for those", () =>
    Effect.gen(function* () {
      const all = yield* pairs(5)
      const shared = Array.from({ length: 3 }, (_, i) => group(`4${i}`, Buffer.from([i])))
      const own = group("4own")
      const joins: Array<Uint8Array> = []
      for (const { server, tcp } of all) {
        const write = tcp.write.bind(tcp)
        tcp.write = ((chunk: Uint8Array) => {
          joins.push(chunk)
          return write(chunk)
        }) as typeof tcp.write
        // One in between gets something else, one gets less.
        if (server === all[3]!.server) server.send([shared[0]!, own, shared[2]!], true)
        else if (server === all[4]!.server) server.send(shared.slice(0, 2), true)
        else server.send([...shared], true)
      }
      assert.strictEqual(joins[2], joins[1])
      assert.strictEqual(new Set(joins).size, 4)
      const expected = (texts: ReadonlyArray<string>, client: (typeof all)[number]["client"]) =>
        Effect.forEach(texts, (text) => Effect.map(client.next, (next) => assert.strictEqual(next, text)))
      for (const { client } of all.slice(0, 3)) yield* expected(["40", "bAA==", "41", "bAQ==", "42", "bAg=="], client)
      yield* expected(["40", "bAA==", "4own", "42", "bAg=="], all[3]!.client)
      yield* expected(["40", "bAA==", "41", "bAQ=="], all[4]!.client)
    }).pipe(Effect.scoped)
  )

  it.live("frames and the end that came before listen are kept", () =>
    Effect.gen(function* () {
      const [{ client, server, webSockets }] = yield* pairs(1)
      client.ws.send("4a")
      client.ws.send("4b")
      client.ws.close(4001, "bye")
      yield* client.closed
      yield* until(() => webSockets.size === 0)
      const heard = listener()
      server.listen(heard.handlers)
      assert.deepStrictEqual(heard.frames, ["4a", "4b"])
      assert.deepStrictEqual(heard.closes, [{ code: 4001, reason: "bye", cause: undefined }])
    }).pipe(Effect.scoped)
  )

  it.live("a message of the limit is taken, one byte more closes with 1009 on both sides", () =>
    Effect.gen(function* () {
      const [{ client, server }] = yield* pairs(1, 100)
      const heard = listener()
      server.listen(heard.handlers)
      client.ws.send("x".repeat(100))
      yield* until(() => heard.frames.length === 1)
      client.ws.send("x".repeat(101))
      assert.strictEqual((yield* client.closed).code, 1009)
      yield* until(() => heard.closes.length === 1)
      assert.strictEqual(heard.closes[0]!.code, 1009)
      assert.isTrue(heard.closes[0]!.cause instanceof RangeError)
    }).pipe(Effect.scoped)
  )

  it.live("text that is no UTF-8 and frames that break the protocol end with an error, and nobody throws", () =>
    Effect.gen(function* () {
      const all = yield* pairs(2)
      const garbage = [Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0xff]), Buffer.from([0xff, 0xff, 0xff, 0xff])]
      for (const [index, { client, server }] of all.entries()) {
        const heard = listener()
        server.listen(heard.handlers)
        ;(client.ws as unknown as { readonly _socket: Socket })._socket.write(garbage[index]!)
        yield* until(() => heard.closes.length === 1)
        assert.isTrue(heard.closes[0]!.cause instanceof Error)
        assert.deepStrictEqual(heard.frames, [])
      }
    }).pipe(Effect.scoped)
  )

  it.live("a peer that vanishes: 1006; sending after that does nothing", () =>
    Effect.gen(function* () {
      const [{ client, server, webSockets }] = yield* pairs(1)
      const heard = listener()
      server.listen(heard.handlers)
      client.ws.terminate()
      yield* until(() => heard.closes.length === 1)
      assert.strictEqual(heard.closes[0]!.code, 1006)
      server.send([group("4late")], true)
      server.close(1005, "")
      server.close(4000, "")
      server.terminate()
      server.pause()
      server.resume()
      assert.strictEqual(webSockets.size, 0)
    }).pipe(Effect.scoped)
  )

  it.live("close without a status is 1005 at the peer, with one that one", () =>
    Effect.gen(function* () {
      const all = yield* pairs(2)
      all[0].server.close(1005, "")
      all[1]!.server.close(4002, "why")
      assert.strictEqual((yield* all[0].client.closed).code, 1005)
      assert.strictEqual((yield* all[1]!.client.closed).code, 4002)
    }).pipe(Effect.scoped)
  )

  it.live("what the peer does not read is counted, and its leaving is told", () =>
    Effect.gen(function* () {
      const [{ client, server }] = yield* pairs(1)
      const heard = listener()
      server.listen(heard.handlers)
      client.ws.pause()
      const big = "4" + "x".repeat(1_000_000)
      let sent = 0
      while (server.bufferedAmount === 0 && sent < 100) {
        server.send([group(big)], true)
        sent++
        yield* Effect.yieldNow
      }
      assert.isAbove(server.bufferedAmount, 0)
      assert.strictEqual(heard.state.drained, 0)
      client.ws.resume()
      for (let i = 0; i < sent; i++) yield* client.next
      yield* until(() => heard.state.drained > 0)
      assert.strictEqual(server.bufferedAmount, 0)
    }).pipe(Effect.scoped)
  )

  it.live("a paused socket does not read until it is resumed", () =>
    Effect.gen(function* () {
      const [{ client, server, tcp }] = yield* pairs(1)
      const heard = listener()
      server.listen(heard.handlers)
      server.pause()
      client.ws.send("4a")
      yield* until(() => client.ws.bufferedAmount === 0)
      yield* Effect.sleep(20)
      assert.deepStrictEqual(heard.frames, [])
      assert.isTrue(tcp.isPaused())
      server.resume()
      yield* until(() => heard.frames.length === 1)
    }).pipe(Effect.scoped)
  )

  it.live("permessage-deflate where it was negotiated: compressed or not, in order", () =>
    Effect.gen(function* () {
      const [{ client, server, tcp }] = yield* pairs(1, 1e6, { perMessageDeflate: { threshold: 10 } }, true)
      assert.strictEqual(client.ws.extensions, "permessage-deflate")
      const long = "4" + "x".repeat(10_000)
      const before = tcp.bytesWritten
      server.send([group(long, Buffer.alloc(5000)), group("4b")], true)
      assert.strictEqual(yield* client.next, long)
      assert.match(yield* client.next, /^bAAAA/)
      assert.strictEqual(yield* client.next, "4b")
      const compressed = tcp.bytesWritten - before
      assert.isBelow(compressed, 1000)
      server.send([group(long)], false)
      assert.strictEqual(yield* client.next, long)
      assert.isAbove(tcp.bytesWritten - before - compressed, 10_000)
    }).pipe(Effect.scoped)
  )

  it.live("extra headers are on the answer, and cannot inject others", () =>
    Effect.gen(function* () {
      const webSockets = NodeWebSocket.makeServer(1000)
      const head = yield* Effect.callback<Http.IncomingHttpHeaders>((resume) => {
        const server = Http.createServer()
        server.on("upgrade", (request, socket, rest) =>
          webSockets.upgrade(request, socket, rest, { "x-own": ["1", "2"], "x-bad": "a\r\nx-injected: 1" }, () => {})
        )
        server.listen(0, "127.0.0.1", () => {
          const ws = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/`)
          ws.on("upgrade", (response) => {
            ws.on("error", () => {})
            webSockets.terminateAll()
            server.close(() => resume(Effect.succeed(response.headers)))
          })
        })
      })
      assert.strictEqual(head["x-own"], "1, 2")
      assert.strictEqual(head["x-bad"], "a x-injected: 1")
      assert.isUndefined(head["x-injected"])
    })
  )

  it.live("tells when the last one has gone", () =>
    Effect.gen(function* () {
      const all = yield* pairs(2)
      const { webSockets } = all[0]
      let empty = 0
      webSockets.onEmpty(() => empty++)
      all[0].server.terminate()
      yield* until(() => webSockets.size === 1)
      assert.strictEqual(empty, 0)
      all[1]!.server.terminate()
      yield* until(() => empty === 1)
      webSockets.onEmpty(() => empty++)
      assert.strictEqual(empty, 2)
    }).pipe(Effect.scoped)
  )
})
