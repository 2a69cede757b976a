import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import { onTestFinished, vi } from "vitest"
import {
  type AckReply,
  Adapter,
  AdapterError,
  type LocalSockets,
  type NamespaceAdapter
} from "../../../src/adapter/Adapter.ts"
import { RemoteSocket, Server } from "../../../src/facade/server.ts"
import { client, collect, next, pair, serve, ways } from "./serve.ts"

/** A stream that ends when each of `asked` has answered. */
const answers = <A>(asked: ReadonlyArray<(answer: (item: A) => void, done: () => void) => void>): Stream.Stream<A> =>
  Stream.callback<A>((queue) =>
    Effect.sync(() => {
      let open = asked.length
      if (open === 0) Queue.endUnsafe(queue)
      for (const ask of asked) {
        ask(
          (item) => Queue.offerUnsafe(queue, item),
          () => {
            if (--open === 0) Queue.endUnsafe(queue)
          }
        )
      }
    })
  )

/** Nodes of one process that hear each other at once. `gate` holds up the making of adapters. */
const makeNodes = (gate: Effect.Effect<void, AdapterError> = Effect.void) => {
  const nodes = new Set<LocalSockets>()
  const make = (own: LocalSockets): NamespaceAdapter => {
    const others = (): Array<LocalSockets> =>
      [...nodes].filter((node) => node !== own && node.namespace === own.namespace)
    const each = (act: (node: LocalSockets) => void): Effect.Effect<void> => Effect.sync(() => others().forEach(act))
    return {
      remote: true,
      publish: (target, event, flags) => others().forEach((node) => node.deliver(target, event, flags)),
      publishWithAcks: (target, event, flags) =>
        answers<AckReply>(
          others().map(
            (node) => (reply, done) => node.deliverWithAcks(target, event, flags, { asked() {}, reply, done })
          )
        ),
      join: (target, rooms) => each((node) => node.join(target, rooms)),
      leave: (target, rooms) => each((node) => node.leave(target, rooms)),
      disconnect: (target, close) => each((node) => node.disconnect(target, close)),
      fetchSockets: (target) => Effect.sync(() => others().flatMap((node) => node.describe(target))),
      serverSideEmit: (event) => each((node) => node.serverSideEvent(event, undefined)),
      serverSideEmitWithAck: (event) =>
        answers<ReadonlyArray<unknown>>(
          others().map((node) => (answer, done) => {
            node.serverSideEvent(event, (args) => {
              answer(args)
              done()
            })
          })
        ),
      serverCount: Effect.sync(() => nodes.size),
      roomCreated() {},
      roomDeleted() {},
      subscribed: (room) =>
        room === "forbidden"
          ? Effect.fail(new AdapterError({ reason: "Unavailable", operation: "subscribe" }))
          : Effect.void
    }
  }
  const layer = Layer.succeed(Adapter, {
    name: "nodes",
    make: (own) =>
      Effect.gen(function* () {
        yield* gate
        nodes.add(own)
        yield* Effect.addFinalizer(() => Effect.sync(() => nodes.delete(own)))
        return make(own)
      })
  })
  return { layer, nodes }
}

describe("the layer of an adapter as the option adapter", () => {
  it("joins two servers: broadcasts, answers, remote sockets, events between servers", async () => {
    const { layer, nodes } = makeNodes()
    const one = await serve({ adapter: layer })
    const two = await serve({ adapter: layer })
    const [near] = await pair(one)
    const [far, peer] = await pair(two)
    far.data.name = "far"
    await near.join("r")
    const heard = collect(peer, "x")
    one.io.emit("x", 1)
    one.io.local.emit("x", 2)
    near.broadcast.emit("x", 3)
    peer.on("ask", (n: number, reply: (n: number) => void) => reply(n + 1))
    assert.deepStrictEqual(await one.io.to(far.id).timeout(5000).emitWithAck("ask", 1), [2])
    assert.deepStrictEqual(heard, [[1], [3]])
    const sockets = await one.io.fetchSockets()
    assert.lengthOf(await one.io.local.fetchSockets(), 1)
    const remote = sockets.find(({ id }) => id === far.id)!
    assert.instanceOf(remote, RemoteSocket)
    assert.deepStrictEqual(remote.data, { name: "far" })
    assert.strictEqual(remote.handshake.address, far.handshake.address)
    assert.deepStrictEqual(
      await new Promise((resolve) => remote.timeout(5000).emit("ask", 5, (...args: Array<unknown>) => resolve(args))),
      [null, 6]
    )
    remote.join(["a", "b"])
    remote.leave("b")
    assert.deepStrictEqual(far.rooms, new Set([far.id, "a"]))
    two.io.on("hello", (name: string, reply: (text: string) => void) => reply(`hello ${name}`))
    assert.deepStrictEqual(await one.io.serverSideEmitWithAck("hello", "one"), ["hello one"])
    const told = next(two.io, "news")
    one.io.serverSideEmit("news", 1)
    assert.deepStrictEqual(await told, [1])
    assert.strictEqual(await one.io.of("/").adapter.serverCount(), 2)
    const gone = next(peer, "disconnect")
    remote.disconnect()
    assert.strictEqual((await gone)[0], "io server disconnect")
    await one.io.close()
    assert.strictEqual(nodes.size, 1)
  })

  it("clients wait until it is there", async () => {
    let open = (): void => {}
    const gate = Effect.callback<void>((resume) => {
      open = () => resume(Effect.void)
    })
    const running = await serve({ adapter: makeNodes(gate).layer })
    const peer = client(running.url, ways.websocket)
    await next(peer.io, "open")
    await new Promise((resolve) => setTimeout(resolve, 20))
    assert.strictEqual(running.io.sockets.sockets.size, 0)
    const connected = next(peer, "connect")
    open()
    await connected
  })

  it("one that cannot be made is told, and the server serves alone", async () => {
    const gate = Effect.fail(new AdapterError({ reason: "Unavailable", operation: "make" }))
    const io = new Server(0, { adapter: makeNodes(gate).layer })
    onTestFinished(() => io.close())
    const [error, where] = await next(io, "listener_error")
    assert.strictEqual((error as AdapterError).operation, "make")
    assert.deepStrictEqual(where, { event: "adapter", namespace: "/" })
    await pair({ io, url: `http://127.0.0.1:${(io.httpServer.address() as { port: number }).port}` })
  })

  it("a subscription that fails is told, and rejects nothing", async () => {
    const running = await serve({ adapter: makeNodes().layer })
    const failures = collect(running.io, "listener_error")
    const [socket] = await pair(running)
    await socket.join("forbidden")
    await vi.waitFor(() => assert.lengthOf(failures, 1))
    assert.isTrue(socket.rooms.has("forbidden"))
  })
})
