/** What goes over the wire, byte for byte beside the official packages. */
import * as official from "@socket.io/redis-adapter"
import { Emitter as OfficialEmitter } from "@socket.io/redis-emitter"
import { EventEmitter } from "node:events"
import { Server as OfficialServer } from "socket.io"
import { assert, describe, it } from "vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { Emitter } from "../../../src/facade/adapters/redis-emitter.ts"
import type {
  BroadcastFlags,
  LocalSockets,
  NamespaceAdapter,
  SocketDescription,
  Target
} from "../../../src/adapter/Adapter.ts"
import * as RedisAdapter from "../../../src/adapter/redis/RedisAdapter.ts"
import * as RedisClient from "../../../src/adapter/redis/RedisClient.ts"

const nsp = "/admin"

/** A client of `redis` that has no server: what it publishes is kept, what it hears is put into it. */
class StubClient extends EventEmitter {
  readonly isReady = true
  readonly isOpen = true
  readonly published: Array<readonly [channel: string, payload: string | Uint8Array]> = []
  readonly listeners2 = new Map<string, (payload: Buffer, channel: string) => void>()
  nodes = 2

  publish(channel: string, payload: string | Uint8Array): Promise<number> {
    this.published.push([channel, payload])
    return Promise.resolve(1)
  }

  #listen(channels: string | Array<string>, listener: (payload: Buffer, channel: string) => void): Promise<void> {
    for (const channel of [channels].flat()) this.listeners2.set(channel, listener)
    return Promise.resolve()
  }

  subscribe(channels: string | Array<string>, listener: (payload: Buffer, channel: string) => void): Promise<void> {
    return this.#listen(channels, listener)
  }

  pSubscribe(patterns: string | Array<string>, listener: (payload: Buffer, channel: string) => void): Promise<void> {
    return this.#listen(patterns, listener)
  }

  sSubscribe(): Promise<void> {
    return Promise.resolve()
  }

  unsubscribe(): Promise<void> {
    return Promise.resolve()
  }

  pUnsubscribe(): Promise<void> {
    return Promise.resolve()
  }

  duplicate(): StubClient {
    return new StubClient()
  }

  sendCommand([name, channel, payload]: ReadonlyArray<string>): Promise<unknown> {
    if (name === "PUBLISH") return this.publish(channel!, payload!)
    return Promise.resolve([payload, this.nodes])
  }

  /** Something comes on a channel. */
  hear(pattern: string, payload: string | Uint8Array, channel = pattern): void {
    this.listeners2.get(pattern)!(Buffer.from(payload as Uint8Array), channel)
  }
}

const plainFlags: BroadcastFlags = { volatile: false, compress: true, timeout: undefined, expectSingleResponse: false }

const description: SocketDescription = {
  id: "socket-id",
  handshake: { headers: { a: "b" }, time: "now", query: {} },
  rooms: ["socket-id", "r"],
  data: { name: "x" }
}

/** Sockets that say what is asked of them. */
const sockets: LocalSockets = {
  namespace: nsp,
  recovery: undefined,
  deliver: () => {},
  deliverWithAcks: (_target, _event, _flags, observer) => {
    observer.asked(1)
    observer.reply({ socketId: undefined, args: ["answer"] })
    observer.done()
  },
  join: () => {},
  leave: () => {},
  disconnect: () => {},
  describe: () => [description],
  serverSideEvent: (_event, reply) => reply?.(["server answer"])
}

interface Ours {
  readonly adapter: NamespaceAdapter
  readonly pub: StubClient
  readonly sub: StubClient
  readonly close: () => Promise<void>
}

const makeOurs = async (options: RedisAdapter.RedisAdapterOptions = {}): Promise<Ours> => {
  const [pub, sub] = [new StubClient(), new StubClient()]
  const scope = Scope.makeUnsafe()
  const service = RedisAdapter.make(RedisClient.from(pub), RedisClient.from(sub), options)
  const made = Effect.flatMap(service, (adapter) => adapter.make(sockets))
  const adapter = await Effect.runPromise(Scope.provide(made, scope))
  return { adapter, pub, sub, close: () => Effect.runPromise(Scope.close(scope, Exit.void)) }
}

const makeOfficial = (options: object = {}) => {
  const [pub, sub] = [new StubClient(), new StubClient()]
  const io = new OfficialServer({ adapter: official.createAdapter(pub, sub, options) })
  const namespace = io.of(nsp)
  return { adapter: namespace.adapter as unknown as Record<string, never> & { uid: string }, namespace, pub, sub }
}

/** The same bytes whatever names were drawn: names of nodes and requests become "......". */
const anonymous = (payload: string | Uint8Array, names: ReadonlyArray<string>): string => {
  let text = Buffer.from(payload as Uint8Array).toString("latin1")
  for (const name of names) text = text.replaceAll(name, "......")
  return text
}

const idOf = (payload: string | Uint8Array): string =>
  /requestId(?:":"|\xa6)(.{6})/s.exec(Buffer.from(payload as Uint8Array).toString("latin1"))?.[1] ?? "no request"

const target = (rooms: ReadonlyArray<string>, except: ReadonlyArray<string> = []): Target => ({
  rooms: new Set(rooms),
  except: new Set(except)
})

const opts = (rooms: ReadonlyArray<string>, except: ReadonlyArray<string> = [], flags: object = {}) => ({
  rooms: new Set(rooms),
  except: new Set(except),
  flags
})

const data: [string, ...Array<unknown>] = [
  "hello",
  1,
  -1.5,
  "ü€😀",
  { a: null, b: [true, undefined], c: new Date(1_700_000_000_000) },
  Buffer.from([1, 2, 255]),
  2 ** 40
]

describe("golden bytes", () => {
  it("broadcasts: as the official adapter writes them, on the same channels", async () => {
    const ours = await makeOurs()
    const theirs = makeOfficial()
    const cases: ReadonlyArray<readonly [Target, BroadcastFlags, object]> = [
      [target([]), plainFlags, opts([])],
      [target(["room"]), plainFlags, opts(["room"])],
      [target(["a", "b"], ["c"]), { ...plainFlags, volatile: true }, opts(["a", "b"], ["c"], { volatile: true })],
      [target(["ä*?[x]"]), { ...plainFlags, compress: false }, opts(["ä*?[x]"], [], { compress: false })],
      [target([], ["d"]), { ...plainFlags, timeout: 500 }, opts([], ["d"], { timeout: 500 })]
    ]
    for (const [whom, flags, official] of cases) {
      ours.adapter.publish(whom, { data }, flags)
      ;(theirs.adapter as unknown as { broadcast(packet: object, opts: object): void }).broadcast(
        { type: 2, data: [...data] },
        official
      )
    }
    const uid = (payload: string | Uint8Array): string =>
      Buffer.from(payload as Uint8Array)
        .toString("latin1")
        .slice(2, 8)
    assert.lengthOf(ours.pub.published, cases.length)
    ours.pub.published.forEach(([channel, payload], i) => {
      const [officialChannel, officialPayload] = theirs.pub.published[i]!
      assert.strictEqual(channel, officialChannel)
      assert.strictEqual(anonymous(payload, [uid(payload)]), anonymous(officialPayload, [theirs.adapter.uid]))
    })
    await ours.close()
  })

  it("requests: as the official adapter writes them", async () => {
    const ours = await makeOurs()
    const theirs = makeOfficial()
    const run = <A, E>(effect: Effect.Effect<A, E>) => Effect.runPromise(effect)
    const whom = target(["r"], ["x"])
    const official = theirs.adapter as unknown as Record<string, (...args: Array<unknown>) => unknown>
    const asks: ReadonlyArray<readonly [ours: () => unknown, theirs: () => unknown]> = [
      [() => run(ours.adapter.join(whom, ["a", "b"])), () => official["addSockets"]!(opts(["r"], ["x"]), ["a", "b"])],
      [() => run(ours.adapter.leave(whom, ["a"])), () => official["delSockets"]!(opts(["r"], ["x"]), ["a"])],
      [() => run(ours.adapter.disconnect(whom, true)), () => official["disconnectSockets"]!(opts(["r"], ["x"]), true)],
      [
        () => run(ours.adapter.serverSideEmit({ data: ["news", 1, { a: "ä" }] })),
        () => official["serverSideEmit"]!(["news", 1, { a: "ä" }])
      ],
      [
        () => void Effect.runFork(ours.adapter.fetchSockets(whom)),
        () => void (official["fetchSockets"]!(opts(["r"], ["x"])) as Promise<unknown>).catch(() => {})
      ],
      [
        () => void Effect.runFork(Stream.runDrain(ours.adapter.serverSideEmitWithAck({ data: ["sum", 1, 2] }, 5000))),
        () => official["serverSideEmit"]!(["sum", 1, 2, () => {}])
      ],
      [
        () =>
          void Effect.runFork(
            Stream.runDrain(ours.adapter.publishWithAcks(whom, { data }, { ...plainFlags, timeout: 700 }))
          ),
        () =>
          official["broadcastWithAck"]!(
            { type: 2, data: [...data] },
            opts(["r"], ["x"], { timeout: 700 }),
            () => {},
            () => {}
          )
      ]
    ]
    for (const [ask, askOfficial] of asks) {
      const count = ours.pub.published.length
      ask()
      askOfficial()
      for (let i = 0; i < 100 && (ours.pub.published.length === count || theirs.pub.published.length === count); i++) {
        await new Promise((resolve) => setImmediate(resolve))
      }
      const [channel, payload] = ours.pub.published[count]!
      const [officialChannel, officialPayload] = theirs.pub.published[count]!
      assert.strictEqual(channel, officialChannel)
      const uid = /uid(?:":"|\xa6)(.{6})/s.exec(Buffer.from(payload as Uint8Array).toString("latin1"))![1]!
      assert.strictEqual(
        anonymous(payload, [uid, idOf(payload)]),
        anonymous(officialPayload, [theirs.adapter.uid, idOf(officialPayload)])
      )
    }
    await ours.close()
  })

  it("answers: to every request, also of versions before 8", async () => {
    const ours = await makeOurs()
    const theirs = makeOfficial()
    const channel = `socket.io-request#${nsp}#`
    // One socket, the same for both.
    const socket = {
      ...description,
      rooms: new Set(description.rooms),
      join() {},
      leave() {},
      disconnect() {},
      client: { conn: { transport: { writable: true } }, writeToEngine() {} },
      notifyOutgoingListeners() {},
      emit() {}
    }
    const { namespace } = theirs
    ;(namespace.sockets as Map<string, unknown>).set("socket-id", socket)
    namespace.adapter.addAll("socket-id", new Set(["socket-id", "r"]))
    ;(namespace as unknown as { _onServerSideEmit(args: Array<unknown>): void })._onServerSideEmit = (args) =>
      (args.at(-1) as (answer: unknown) => void)("server answer")
    const requests: ReadonlyArray<object> = [
      { uid: "uuuuuu", requestId: "rrrrrr", type: 0, rooms: ["r"] },
      { uid: "uuuuuu", requestId: "rrrrrr", type: 1 },
      { uid: "uuuuuu", requestId: "rrrrrr", type: 2, sid: "socket-id", room: "x" },
      { uid: "uuuuuu", requestId: "rrrrrr", type: 3, sid: "socket-id", room: "x" },
      { uid: "uuuuuu", requestId: "rrrrrr", type: 4, sid: "socket-id", close: false },
      { uid: "uuuuuu", requestId: "rrrrrr", type: 5, opts: { rooms: ["r"], except: [] } },
      { uid: "uuuuuu", requestId: "rrrrrr", type: 6, data: ["sum", 1] }
    ]
    for (const request of requests) {
      const count = ours.pub.published.length
      ours.sub.hear(channel, JSON.stringify(request))
      theirs.sub.hear(channel, JSON.stringify(request))
      for (let i = 0; i < 100 && theirs.pub.published.length === count; i++) {
        await new Promise((resolve) => setImmediate(resolve))
      }
      const own = ours.pub.published[count]!.map(String)
      const official = theirs.pub.published[count]!.map(String)
      // Undefined data of stubs aside, all keys and values are in the same order.
      assert.deepStrictEqual(own, official, JSON.stringify(request))
    }
    await ours.close()
  })

  it("emitters: as the official emitter writes it", () => {
    const [pub, officialPub] = [new StubClient(), new StubClient()]
    const use = (emitter: OfficialEmitter): void => {
      emitter.emit("hello", ...data.slice(1))
      emitter.to("room").emit("hello", 1)
      emitter.to(["a", "b"]).except("c").volatile.compress(true).emit("hello", "ü")
      emitter.socketsJoin("x")
      emitter.in("a").socketsLeave(["x", "y"])
      emitter.except("a").disconnectSockets(true)
      emitter.disconnectSockets()
      emitter.serverSideEmit("news", { a: 1 })
      emitter.of("admin").emit("hello")
    }
    use(new Emitter(pub, { key: "k" }) as unknown as OfficialEmitter)
    use(new OfficialEmitter(officialPub, { key: "k" }))
    assert.lengthOf(pub.published, 9)
    assert.deepStrictEqual(
      pub.published.map(([channel, payload]) => [channel, anonymous(payload, [])]),
      officialPub.published.map(([channel, payload]) => [channel, anonymous(payload, [])])
    )
  })
})
