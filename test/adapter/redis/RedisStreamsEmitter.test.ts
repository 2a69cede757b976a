/**
 * What is written to Redis, field by field beside the official adapter, and emitters: ours, and the format of the official one, which is not on npm.
 */
import { assert, describe, it } from "@effect/vitest"
import { Namespace } from "effect-socketio/contract"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import { onTestFinished } from "vitest"
import * as MsgpackDecode from "../../../src/protocol/MsgpackDecode.ts"
import * as RedisStreamsEmitter from "../../../src/adapter/redis/RedisStreamsEmitter.ts"
import { Emitter } from "../../../src/facade/adapters/redis-streams-emitter.ts"
import * as Redis from "../../brokers/Redis.ts"
import {
  acquainted,
  type AnyServer,
  client,
  fresh,
  hear,
  ioRedis,
  nodeRedis,
  redisUrl,
  startOfficial,
  startOurs,
  until,
  useRedis
} from "./streamServers.ts"

/** Everything that a namespace can write, with binary and without. */
const say = async (io: AnyServer, nsp: string): Promise<void> => {
  const here = io.of(nsp)
  here.emit("hello", 1, { a: null, b: "é😀", c: [1.5, -1, 2 ** 40, true] })
  here.to(["r1", "r2"]).except("r3").emit("hello")
  here.volatile.compress(false).emit("flags")
  here
    .to("r")
    .emit("binary", Buffer.from([1, 2, 255]), { deep: [Buffer.alloc(300, 7)] }, -200, 70_000, 0.1, "x".repeat(40))
  here.in("r1").except("r2").socketsJoin(["a", "b"])
  here.socketsLeave("a")
  here.in("r9").disconnectSockets(true)
  here.serverSideEmit("event", 1, Buffer.from([9]))
  await Promise.all([here.fetchSockets(), here.serverSideEmitWithAck("question", "x")])
}

/** The channel's messages, without what tells nodes apart. */
const anonymous = (bytes: Buffer): unknown => {
  const decoded = MsgpackDecode.decode(bytes)
  assert.strictEqual(decoded._tag, "MsgpackValue")
  const message = (decoded as MsgpackDecode.MsgpackValue).value as { uid: string; data: { requestId?: string } }
  assert.match(message.uid, /^[0-9a-f]{16}$/)
  const { uid: _uid, seq: _seq, after: _after, ...rest } = message as Record<string, unknown> & typeof message
  if (rest.data.requestId !== undefined) assert.match(rest.data.requestId, /^[0-9a-f]{16}$/)
  const data = rest.data.requestId === undefined ? rest.data : { ...rest.data, requestId: "id" }
  // As text, so that the order of keys counts.
  return JSON.stringify({ ...rest, data })
}

describe.skipIf(!Redis.available)(`what is written to Redis Streams (${Redis.hint})`, () => {
  useRedis()

  it("entries are those of the official adapter, field by field and byte for byte, ours behind", async () => {
    const nsp = fresh()
    const redis = await nodeRedis()
    const written: Array<Array<ReadonlyArray<string>>> = []
    const heard: Array<Array<unknown>> = []
    for (const start of [startOfficial, startOurs]) {
      const streamName = `golden-${written.length}`
      const channel = `${streamName}#${nsp}#`
      const near = await start({ streams: { streamName, channelPrefix: streamName } })
      // Questions are only asked where there is somebody to answer.
      const far = await startOurs({ streams: { streamName, channelPrefix: streamName } })
      far.io.of(nsp).on("question", (_text: string, reply: (value: number) => void) => reply(1))
      await until(async () => (await near.io.of(nsp).adapter.serverCount()) === 2, "the other server")
      await until(async () => (await far.io.of(nsp).adapter.serverCount()) === 2, "the first server")
      const messages: Array<unknown> = []
      const subscriber = redis.duplicate()
      await subscriber.connect()
      onTestFinished(() => subscriber.destroy())
      // By a pattern: who subscribes to the channel itself is counted, and waited for.
      await subscriber.pSubscribe(channel, (bytes) => void messages.push(anonymous(bytes)), true)
      await say(near.io, nsp)
      await until(() => messages.length === 3, "three messages")
      await until(async () => (await redis.xLen(streamName)) === 7, "seven entries")
      heard.push(messages)
      const reply = (await redis.sendCommand(["XRANGE", streamName, "-", "+"])) as unknown as Array<
        [string, Array<string>]
      >
      written.push(reply.map(([, fields]) => fields))
    }
    const [official, ours] = written as [Array<ReadonlyArray<string>>, Array<ReadonlyArray<string>>]
    const strip = (fields: ReadonlyArray<string>): ReadonlyArray<string> => {
      assert.match(fields[1]!, /^[0-9a-f]{16}$/)
      return fields.with(1, "uid")
    }
    for (const [i, fields] of official.entries()) {
      assert.lengthOf(fields, 8)
      assert.deepStrictEqual(strip(ours[i]!).slice(0, 8), strip(fields))
      // The order over both ways.
      assert.strictEqual(ours[i]![8], "seq")
      assert.strictEqual(ours[i]![9], String(i + 1))
    }
    // Official servers count the others before they ask, and so ask later.
    assert.sameMembers(heard[1]!, heard[0]!)
  })

  it("the official emitter's entries: broadcasts, rooms, binary, joining, leaving, disconnecting, events between servers", async () => {
    const nsp = fresh()
    const redis = await nodeRedis()
    const a = await startOurs()
    const b = await startOurs({ with: "ioredis" })
    await acquainted(nsp, a, b)
    const [one, two] = [await client(a.url + nsp), await client(b.url + nsp)]
    const [heardOne, heardTwo] = [hear(one), hear(two)]
    const opts = (rooms: Array<string> = [], except: Array<string> = []) => ({ rooms, flags: {}, except })
    const add = (type: number, data: object, text = JSON.stringify(data)) =>
      redis.xAdd("socket.io", "*", { uid: "emitter", nsp, type: String(type), data: text })
    const emit = (data: Array<unknown>, ...rooms: Array<string>) =>
      add(3, { packet: { type: 2, data, nsp }, opts: opts(rooms) })
    await emit(["x", 1])
    await emit(["x", 2], one.id!)
    await add(4, { opts: opts([two.id!]), rooms: ["r"] })
    await emit(["x", 3], "r")
    await add(5, { opts: opts([two.id!]), rooms: ["r"] })
    await emit(["x", 4], "r")
    const events: Array<unknown> = []
    for (const { io } of [a, b]) io.of(nsp).on("news", (...args: Array<unknown>) => events.push(args))
    await add(9, { packet: ["news", 7] })
    await add(3, {}, "gqZwYWNrZXSDpHR5cGUCpGRhdGGSoXjEAgECo25zcKIvYaRvcHRzg6Vyb29tc5ClZmxhZ3OApmV4Y2VwdJA=")
    await emit(["x", 5])
    await until(
      () => heardTwo.some((args) => args[1] === 5) && heardOne.some((args) => args[1] === 5),
      "the last event"
    )
    assert.deepStrictEqual(
      heardOne.map((args) => args[1]),
      [1, 2, 5]
    )
    assert.deepStrictEqual(
      heardTwo.map((args) => args[1]),
      [1, 3, 5]
    )
    assert.deepStrictEqual(events, [[7], [7]])
    const gone = new Promise((resolve) => two.once("disconnect", resolve))
    await add(6, { opts: opts([two.id!]), close: false })
    assert.strictEqual(await gone, "io server disconnect")
    assert.isTrue(one.connected)
  })

  it.each(["redis", "ioredis"] as const)(
    "our Emitter (%s) reaches clients of ours and of official servers",
    async (kind) => {
      const nsp = fresh()
      const ours = await startOurs()
      const theirs = await startOfficial()
      await acquainted(nsp, ours, theirs)
      const clients = [await client(ours.url + nsp), await client(theirs.url + nsp)] as const
      const heard = clients.map(hear)
      const events: Array<unknown> = []
      for (const { io } of [ours, theirs]) io.of(nsp).on("news", (...args: Array<unknown>) => events.push(args))
      const emitter = new Emitter(kind === "redis" ? await nodeRedis() : await ioRedis()).of(nsp)
      assert.isTrue(emitter.emit("x", 1, Buffer.from([1, 2])))
      emitter.to(clients[0].id!).emit("x", 2)
      emitter.except(clients[0].id!).volatile.compress(false).emit("x", 3)
      emitter.in([clients[0].id!, clients[1].id!]).socketsJoin(["r1", "r2"])
      emitter.in("r1").emit("x", 4)
      emitter.in(clients[0].id!).socketsLeave("r1")
      emitter.to("r1").emit("x", 5)
      emitter.serverSideEmit("news", 1)
      assert.throws(() => emitter.serverSideEmit("news", () => {}), "Acknowledgements are not supported")
      assert.throws(() => emitter.emit("connect"), `"connect" is a reserved event name`)
      emitter.emit("x", 6)
      await until(() => heard.every((list) => list.some((args) => args[1] === 6)), "the last event")
      assert.deepStrictEqual(
        heard[0]!.map((args) => args[1]),
        [1, 2, 4, 6]
      )
      assert.deepStrictEqual(
        heard[1]!.map((args) => args[1]),
        [1, 3, 4, 5, 6]
      )
      assert.deepStrictEqual(
        heard.map((list) => list[0]![2]),
        [Buffer.from([1, 2]), Buffer.from([1, 2])]
      )
      assert.deepStrictEqual(events, [[1], [1]])
      const gone = Promise.all(clients.map((socket) => new Promise((resolve) => socket.once("disconnect", resolve))))
      emitter.disconnectSockets(true)
      await gone
    }
  )

  it("what is no client of Redis is refused at once", () => {
    assert.throws(() => new Emitter({}), TypeError)
    assert.throws(() => RedisStreamsEmitter.make(undefined), TypeError)
  })

  it("the emitter of the Effect API: by configuration, typed failures", async () => {
    const nsp = fresh()
    const ours = await startOurs()
    await acquainted(nsp, ours)
    const socket = await client(ours.url + nsp)
    const heard = hear(socket)
    const layer = RedisStreamsEmitter.layerConfig({ url: Config.String("REDIS_URL") })
    const env = ConfigProvider.layer(ConfigProvider.fromEnv({ env: { REDIS_URL: redisUrl() } }))
    const program = Effect.gen(function* () {
      const emitters = yield* RedisStreamsEmitter.RedisStreamsEmitter
      const emitter = emitters.namespace(Namespace.untyped(nsp))
      yield* emitter.to(socket.id!).emit("x", 1)
      yield* emitter.except(socket.id!).emit("x", 2)
      yield* emitter.socketsJoin("r")
      yield* emitter.to("r").emit("x", 3)
      return yield* Effect.flip(emitter.emit("x", 1n))
    })
    const error = await Effect.runPromise(program.pipe(Effect.provide(layer), Effect.provide(env)))
    assert.strictEqual(error.reason, "Rejected")
    await until(() => heard.length === 2, "the events")
    assert.deepStrictEqual(
      heard.map((args) => args[1]),
      [1, 3]
    )
    const nowhere = RedisStreamsEmitter.layer({ url: "redis://127.0.0.1:1" })
    const unreachable = Effect.flip(Effect.provide(RedisStreamsEmitter.RedisStreamsEmitter, nowhere))
    assert.strictEqual((await Effect.runPromise(unreachable)).reason, "Unavailable")
  })
})
