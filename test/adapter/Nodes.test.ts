/**
 * The seam to other nodes, tried with an adapter that hands everything to the namespaces of the same name on other servers at once.
 */
import { assert, describe, it } from "@effect/vitest"
import { Event, Namespace } from "effect-socketio/contract"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import {
  type AckReply,
  Adapter,
  AdapterError,
  type LocalSockets,
  type NamespaceAdapter
} from "../../src/adapter/Adapter.ts"
import * as ErrorSink from "../../src/socket/ErrorSink.ts"
import * as SocketServer from "../../src/socket/SocketServer.ts"
import * as Fake from "../socket/FakeSession.ts"

class Refused extends Schema.TaggedError<Refused>()("Refused", {}) {}

const Chat = Namespace.make("/chat", {
  data: Schema.Struct({ name: Schema.String }),
  fromClient: { join: Event.make({ args: [Schema.String] }) },
  fromServer: {
    said: Event.make({ args: [Schema.String] }),
    vote: Event.make({ args: [], ack: Schema.Boolean })
  },
  betweenServers: {
    reload: Event.make({ args: [Schema.Finite] }),
    load: Event.make({ args: [], ack: Schema.Finite, error: Refused })
  }
})
const nsp = "/chat"

const Org = Namespace.make("/org/:id", { betweenServers: { reload: Event.make({ args: [Schema.Finite] }) } })

const stream = <A>(ask: (queue: { offer(item: A): void; end(): void }) => void): Stream.Stream<A> =>
  Stream.callback<A>((queue) =>
    Effect.sync(() => ask({ offer: (item) => Queue.offerUnsafe(queue, item), end: () => Queue.endUnsafe(queue) }))
  )

/** Nodes that hear each other at once. Gives what was told about rooms too. */
const makeCluster = (override: Partial<NamespaceAdapter> = {}) => {
  const nodes = new Set<LocalSockets>()
  const log: Array<string> = []
  const layer = Layer.succeed(Adapter, {
    name: "cluster",
    make: (own) =>
      Effect.gen(function* () {
        nodes.add(own)
        yield* Effect.addFinalizer(() => Effect.sync(() => nodes.delete(own)))
        const others = (): Array<LocalSockets> =>
          Array.from(nodes).filter((node) => node !== own && node.namespace === own.namespace)
        const adapter: NamespaceAdapter = {
          remote: true,
          publish: (target, event, flags) => others().forEach((node) => node.deliver(target, event, flags)),
          publishWithAcks: (target, event, flags) =>
            stream<AckReply>((queue) => {
              let open = others().length
              if (open === 0) queue.end()
              for (const node of others()) {
                node.deliverWithAcks(target, event, flags, {
                  asked: () => {},
                  reply: (reply) => queue.offer(reply),
                  done: () => {
                    if (--open === 0) queue.end()
                  }
                })
              }
            }),
          join: (target, rooms) => Effect.sync(() => others().forEach((node) => node.join(target, rooms))),
          leave: (target, rooms) => Effect.sync(() => others().forEach((node) => node.leave(target, rooms))),
          disconnect: (target, close) => Effect.sync(() => others().forEach((node) => node.disconnect(target, close))),
          fetchSockets: (target) => Effect.sync(() => others().flatMap((node) => node.describe(target))),
          serverSideEmit: (event) =>
            Effect.sync(() => others().forEach((node) => node.serverSideEvent(event, undefined))),
          serverSideEmitWithAck: (event) =>
            stream((queue) => {
              let open = others().length
              if (open === 0) queue.end()
              for (const node of others()) {
                node.serverSideEvent(event, (args) => {
                  queue.offer(args)
                  if (--open === 0) queue.end()
                })
              }
            }),
          serverCount: Effect.sync(() => nodes.size),
          roomCreated: (room) => log.push(`+${room}`),
          roomDeleted: (room) => log.push(`-${room}`),
          subscribed: (room) =>
            room === "forbidden"
              ? Effect.fail(new AdapterError({ reason: "Unavailable", operation: "subscribe" }))
              : Effect.sync(() => log.push(`subscribed ${room}`))
        }
        return { ...adapter, ...override }
      })
  })
  return { layer, log }
}

const ChatLive = SocketServer.namespace(Chat, (socket) =>
  Effect.andThen(
    socket.setData({ name: "someone" }),
    socket.on("join", (room) => socket.join(room))
  )
)

/** Two servers with a client each; `override` replaces what their adapters do. */
const setupWith = Effect.fnUntraced(function* (override: Partial<NamespaceAdapter>) {
  const { layer, log } = makeCluster(override)
  const here = yield* Fake.make(ChatLive, {}, layer)
  const there = yield* Fake.make(ChatLive, {}, layer)
  const handle = (server: Fake.TestServer) => SocketServer.handle(Chat).pipe(Effect.provide(server.context))
  const near = here.connected(nsp)
  const far = there.connected(nsp)
  return { here, there, near, far, log, chat: yield* handle(here), farChat: yield* handle(there) }
})

const setup = setupWith({})

describe("two nodes", () => {
  it.effect("broadcasts reach both, local ones this one; in the order of the program", () =>
    Effect.gen(function* () {
      const { chat, near, far } = yield* setup
      yield* chat.emit("said", "1")
      yield* chat.local.emit("said", "2")
      yield* chat.to(far.sid(nsp)!).emit("said", "3")
      yield* chat.except(far.sid(nsp)!).emit("said", "4")
      yield* chat.emit("said", "5")
      const texts = (client: Fake.FakeClient) => client.events.map(([, text]) => text)
      assert.deepStrictEqual(texts(near), ["1", "2", "4", "5"])
      assert.deepStrictEqual(texts(far), ["1", "3", "5"])
    })
  )

  it.effect("answers come from both", () =>
    Effect.gen(function* () {
      const { chat, near, far } = yield* setup
      const asked = yield* Effect.forkChild(Stream.runCollect(chat.emitWithAck("vote")), { startImmediately: true })
      yield* TestClock.adjust(0)
      far.answer(nsp, 0, false)
      near.answer(nsp, 0, true)
      yield* TestClock.adjust(0)
      const replies = yield* Fiber.join(asked)
      assert.sameDeepMembers(replies, [
        { socketId: far.sid(nsp), value: false },
        { socketId: near.sid(nsp), value: true }
      ])
    })
  )

  it.effect("sockets of other nodes that do not answer are failures like those of this one", () =>
    Effect.gen(function* () {
      const silent = new AdapterError({
        reason: "Timeout",
        operation: "emitWithAck",
        received: [],
        missing: { count: 0, nodes: [] },
        unanswered: 2
      })
      const { chat, near } = yield* setupWith({ publishWithAcks: () => Stream.fail(silent) })
      const asked = yield* Effect.forkChild(Effect.flip(Stream.runCollect(chat.emitWithAck("vote"))), {
        startImmediately: true
      })
      yield* TestClock.adjust(0)
      near.answer(nsp, 0, true)
      yield* TestClock.adjust(0)
      const error = yield* Fiber.join(asked)
      assert.strictEqual(error._tag, "PartialResult")
      if (error._tag !== "PartialResult") return
      assert.deepStrictEqual([error.received, error.missing], [1, 2])
      assert.deepStrictEqual(
        error.failures.map((failure) => [failure.socketId, (failure.error as { _tag: string })._tag]),
        [
          [undefined, "AckTimeout"],
          [undefined, "AckTimeout"]
        ]
      )
    })
  )

  it.effect("an answer from afar that does not fit is a failure of the whole", () =>
    Effect.gen(function* () {
      const { chat, near, far } = yield* setup
      const asked = yield* Effect.forkChild(Stream.runCollect(chat.emitWithAck("vote")), { startImmediately: true })
      yield* TestClock.adjust(0)
      far.answer(nsp, 0, "no")
      near.answer(nsp, 0, true)
      yield* TestClock.adjust(0)
      const exit = yield* Fiber.await(asked)
      assert.isTrue(Exit.isFailure(exit))
    })
  )

  it.effect("sockets of the other node are fetched and moved", () =>
    Effect.gen(function* () {
      const { chat, near, far, there } = yield* setup
      const sockets = yield* chat.fetchSockets()
      assert.deepStrictEqual(
        sockets.map(({ id, data }) => [id, data]),
        [
          [near.sid(nsp), { name: "someone" }],
          [far.sid(nsp), { name: "someone" }]
        ]
      )
      assert.strictEqual((yield* chat.local.fetchSockets()).length, 1)
      yield* chat.socketsJoin("lobby")
      yield* sockets[1]!.leave("lobby")
      yield* chat.to("lobby").emit("said", "x")
      assert.deepStrictEqual([near.events.length, far.events.length], [1, 0])
      yield* sockets[1]!.disconnect()
      assert.strictEqual(there.server.core.counters.sockets, 0)
    })
  )

  it.effect("rooms are told as they come and go; join waits for the subscription and survives its failure", () =>
    Effect.gen(function* () {
      const { near, log, here } = yield* setup
      log.length = 0
      near.emit(nsp, "join", "a")
      near.emit(nsp, "join", "forbidden")
      assert.deepStrictEqual(log, ["+a", "subscribed a", "+forbidden"])
      assert.deepStrictEqual(
        here.reports.map(({ stage }) => stage),
        ["adapter"]
      )
      near.lose()
      assert.sameMembers(log.slice(3), [`-${near.sid(nsp)}`, "-a", "-forbidden"])
    })
  )

  it.effect("server-side events, with answers and without", () =>
    Effect.gen(function* () {
      const { chat, farChat, there } = yield* setup
      const seen: Array<number> = []
      yield* farChat.onServerSide("reload", (n) => Effect.sync(() => seen.push(n)))
      yield* chat.serverSideEmit("reload", 5)
      assert.deepStrictEqual(seen, [5])
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* farChat.onServerSide("load", () => Effect.succeed(0.5))
          assert.deepStrictEqual(yield* Stream.runCollect(chat.serverSideEmitWithAck({}, "load")), [0.5])
        })
      )
      yield* farChat.onServerSide("load", () => Effect.fail(new Refused()))
      const failure = yield* Effect.flip(Stream.runCollect(chat.serverSideEmitWithAck({}, "load")))
      assert.instanceOf(failure, Refused)
      assert.deepStrictEqual(there.reports, [])
    })
  )

  it.effect("T4: a slow way to the other nodes does not change the order here", () =>
    Effect.gen(function* () {
      const sent: Array<unknown> = []
      const { layer } = makeCluster()
      const slow = Layer.effect(
        Adapter,
        Effect.map(Adapter, ({ make, name }) => ({
          name,
          make: (own: LocalSockets) =>
            Effect.map(make(own), (adapter) => ({
              ...adapter,
              publish: (...[, { data }]: Parameters<typeof adapter.publish>) => {
                Effect.runFork(
                  Effect.andThen(
                    Effect.sleep("5 millis"),
                    Effect.sync(() => sent.push(data[1]))
                  )
                )
              }
            }))
        }))
      ).pipe(Layer.provide(layer))
      const server = yield* Fake.make(ChatLive, {}, slow)
      const client = server.connected(nsp)
      const chat = yield* SocketServer.handle(Chat).pipe(Effect.provide(server.context))
      const [socket] = yield* chat.sockets
      yield* chat.emit("said", "1")
      yield* socket!.emit("said", "2")
      const asked = yield* Effect.forkChild(Stream.runDrain(chat.local.emitWithAck("vote")), { startImmediately: true })
      yield* chat.local.emit("said", "4")
      assert.deepStrictEqual(
        client.events.map(([name, text]) => text ?? name),
        ["1", "2", "vote", "4"]
      )
      yield* Fiber.interrupt(asked)
    })
  )

  it.effect("what goes wrong with a server-side event is told to who asked, and to the sink where it happened", () =>
    Effect.gen(function* () {
      const { chat, farChat, there } = yield* setup
      const sinks: Array<string> = []
      const own: ErrorSink.ErrorSink = ({ event, cause }) =>
        Effect.sync(() => sinks.push(`${event} ${cause.reasons.map(({ _tag }) => _tag)}`))
      yield* farChat.onServerSide("load", () => Effect.die("bug")).pipe(Effect.provideService(ErrorSink.ErrorSink, own))
      yield* farChat.onServerSide("reload", () => Effect.void).pipe(Effect.provideService(ErrorSink.ErrorSink, own))
      const failure = yield* Effect.flip(Stream.runCollect(chat.serverSideEmitWithAck({ timeout: "1 second" }, "load")))
      assert.strictEqual(failure._tag, "HandlerFailed")
      there.server.core.registry.get(nsp)!.serverSideEvent({ data: ["reload", "not a number"] }, undefined)
      there.server.core.registry.get(nsp)!.serverSideEvent({ data: ["unknown"] }, undefined)
      assert.deepStrictEqual(sinks, ["load Die", "reload Fail"])
      assert.strictEqual(there.server.core.counters.handlerFailures, 1)
      assert.strictEqual(there.server.core.counters.invalidPayloads, 1)
    })
  )

  it.effect("a handle may listen before its namespace exists", () =>
    Effect.gen(function* () {
      const { layer } = makeCluster()
      const server = yield* Fake.make(
        SocketServer.namespace(Org, () => Effect.void),
        {},
        layer
      )
      const org = yield* SocketServer.handle(Org, { id: "1" }).pipe(Effect.provide(server.context))
      const seen: Array<number> = []
      yield* org.onServerSide("reload", (n) => Effect.sync(() => seen.push(n)))
      assert.strictEqual(yield* org.serverCount, 1)
      server.connected("/org/1")
      server.server.core.registry.get("/org/1")!.serverSideEvent({ data: ["reload", 3] }, undefined)
      assert.deepStrictEqual(seen, [3])
      assert.strictEqual((yield* Effect.exit(org.use(() => Effect.void)))._tag, "Success")
    })
  )
})
