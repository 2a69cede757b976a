/**
 * The bus on a real PostgreSQL, below the namespaces: order, recovery, and what happens when PostgreSQL is killed, or somebody else talks.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { Client } from "pg"
import { afterAll, beforeAll } from "vitest"
import type { AdapterHealth, SocketSession } from "../../../src/adapter/Adapter.ts"
import type { Broker, ClusterBus, Published } from "../../../src/adapter/ClusterBus.ts"
import { type Body, type ClusterMessage, MessageType } from "../../../src/adapter/ClusterMessage.ts"
import * as Bus from "../../../src/adapter/postgres/PostgresBus.ts"
import type { PostgresPool } from "../../../src/adapter/postgres/PostgresConnection.ts"
import * as Postgres from "../../brokers/Postgres.ts"
import { acquainted, over } from "../../suites/cluster/Nodes.ts"
import { until, untilEqual } from "../../suites/cluster/Waiting.ts"
import * as Nodes from "./postgresNodes.ts"

interface Heard {
  readonly message: ClusterMessage
  readonly offset: string | undefined
}

interface Node {
  readonly uid: string
  readonly bus: ClusterBus
  readonly broker: Broker
  /** From others. */
  readonly heard: Array<Heard>
  /** The first arguments of the events heard. */
  readonly texts: () => ReadonlyArray<unknown>
  readonly send: (body: Body, done?: (published: Published) => void) => void
  readonly publish: (body: Body) => Effect.Effect<Published>
}

let uids = 0

const open = (broker: Broker, namespace: string, recovery: boolean): Effect.Effect<Node, unknown, Scope.Scope> =>
  Effect.gen(function* () {
    const uid = (++uids).toString(16).padStart(16, "0")
    const heard: Array<Heard> = []
    const bus = yield* broker.open({
      namespace,
      uid,
      recovery: recovery ? { maxDisconnectionDuration: 60_000 } : undefined,
      sink: {
        onMessage: (message, offset) => {
          if (message.uid !== uid) heard.push({ message, offset })
        }
      }
    })
    const send = (body: Body, done: (published: Published) => void = () => {}): void =>
      bus.publish({ uid, nsp: namespace, body }, done)
    return {
      uid,
      bus,
      broker,
      heard,
      texts: () =>
        heard.map(({ message: { body } }) => (body.type === MessageType.BROADCAST ? body.event.data[1] : body.type)),
      send,
      publish: (body) => Effect.callback((resume) => send(body, (published) => resume(Effect.succeed(published))))
    }
  })

const said = (...args: ReadonlyArray<unknown>): Body => ({
  type: MessageType.BROADCAST,
  target: { rooms: new Set(), except: new Set() },
  flags: { volatile: false, compress: true, timeout: undefined, expectSingleResponse: false },
  event: { data: ["said", ...args] },
  requestId: undefined
})

const joining: Body = {
  type: MessageType.SOCKETS_JOIN,
  target: { rooms: new Set(["a"]), except: new Set() },
  rooms: ["b"]
}

const session = (pid: string, since: string | undefined): SocketSession => ({
  sid: `sid-${pid}`,
  pid,
  rooms: [`sid-${pid}`],
  data: { bytes: Uint8Array.of(1, 2) },
  since
})

const offsetOf = (published: Published): string => {
  assert.strictEqual(published._tag, "Published")
  const offset = published._tag === "Published" ? published.offset : undefined
  assert.isString(offset)
  return offset!
}

/** Attempts that follow each other quickly. */
const reconnection = Schedule.spaced("100 millis")

/** The states of a broker so far, until the scope closes. */
const states = (broker: Broker): Effect.Effect<Array<AdapterHealth["_tag"]>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const seen: Array<AdapterHealth["_tag"]> = []
    const watching = Stream.runForEach(broker.health, ({ _tag }) => Effect.sync(() => void seen.push(_tag)))
    yield* Effect.forkScoped(watching, { startImmediately: true })
    yield* until("the present state", () => seen.length > 0)
    return seen
  })

describe.skipIf(!Postgres.available)(`the bus over PostgreSQL (${Postgres.hint})`, () => {
  let server: Postgres.PostgresServer
  beforeAll(async () => {
    server = await Postgres.start()
  }, 60_000)
  afterAll(() => server?.close())

  const nodes = (
    count: number,
    options: Bus.BrokerOptions & { namespace?: string; recovery?: boolean } = {}
  ): Effect.Effect<{ readonly nodes: ReadonlyArray<Node>; readonly prefix: string }, unknown, Scope.Scope> =>
    Effect.gen(function* () {
      const { namespace = "/n", recovery = false, ...rest } = options
      const prefix = options.channelPrefix ?? Nodes.freshPrefix()
      const opened: Array<Node> = []
      for (let i = 0; i < count; i++) {
        const broker = yield* Nodes.broker(server.url, { reconnection, ...rest, channelPrefix: prefix })
        opened.push(yield* open(broker, namespace, recovery))
      }
      return { nodes: opened, prefix }
    })

  /** Runs a statement of the test itself. */
  const sql = (text: string, values: Array<unknown> = []): Effect.Effect<ReadonlyArray<Record<string, unknown>>> =>
    Effect.promise(async () => {
      const client = new Client({ connectionString: server.url })
      await client.connect()
      try {
        return (await client.query(text, values)).rows as ReadonlyArray<Record<string, unknown>>
      } finally {
        await client.end()
      }
    })

  /** Ends all connections of other clients, as a failover does. */
  const cutAll = sql(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' OR query = 'SELECT 1'"
  )

  it.live("the log has one order: that in which every node delivers, its own events included", () =>
    Effect.gen(function* () {
      const each = 150
      const { nodes: all, prefix } = yield* nodes(3, { recovery: true })
      const own = all.map((): Array<string> => [])
      // What each node delivers, in its order: others' as heard, its own as told.
      const delivered = all.map((): Array<string> => [])
      const seen = all.map(() => 0)
      const catchUp = (i: number): void => {
        const { heard } = all[i]!
        while (seen[i]! < heard.length) delivered[i]!.push(heard[seen[i]!++]!.offset ?? "none")
      }
      for (let n = 0; n < each; n++) {
        for (const [i, node] of all.entries()) {
          const extra = n % 20 === 7 ? "x".repeat(9000) : n % 20 === 3 ? Uint8Array.of(n) : ""
          node.send(said(`${i}:${n}`, extra), (published) => {
            catchUp(i)
            own[i]!.push(offsetOf(published))
            delivered[i]!.push(offsetOf(published))
          })
        }
        if (n % 10 === 0) yield* Effect.sleep("1 millis")
      }
      yield* until("all events everywhere", () => {
        all.forEach((_, i) => catchUp(i))
        return delivered.every((offsets) => offsets.length === 3 * each)
      })
      const log = yield* sql(
        "SELECT id::text FROM socket_io_log WHERE channel = $1 AND payload IS NOT NULL ORDER BY id",
        [`${prefix}#/n`]
      )
      const ids = log.map(({ id }) => String(id))
      ids.sort((a, b) => Number(a) - Number(b))
      for (const offsets of delivered) assert.deepStrictEqual(offsets, ids)
      for (const { bus } of all) assert.strictEqual(bus.store?.position, ids.at(-1))
    })
  )

  it.live("equal messages in one turn arrive as often as they were sent", () =>
    Effect.gen(function* () {
      const {
        nodes: [a, b]
      } = yield* nodes(2)
      for (let i = 0; i < 50; i++) a!.send(said("tick"))
      a!.send(said("end"))
      yield* until("the last", () => b!.texts().at(-1) === "end")
      assert.lengthOf(b!.texts(), 51)
    })
  )

  it.live("messages of every size around the limit of a notification arrive, stored ones too", () =>
    Effect.gen(function* () {
      for (const recovery of [false, true]) {
        const { nodes: made } = yield* nodes(2, { recovery, namespace: "/size" })
        const [a, b] = made as [Node, Node]
        const sizes: Array<number> = []
        // The envelope has between 100 and 250 bytes.
        for (let size = 7700; size <= 7920; size += 2) sizes.push(size)
        for (const size of sizes) {
          a.send(said("ä".repeat(size / 2) + "x".repeat(size % 2)), ({ _tag }) => assert.strictEqual(_tag, "Published"))
        }
        yield* until("all sizes", () => b.heard.length === sizes.length)
        assert.deepStrictEqual(
          b.texts().map((text) => Buffer.byteLength(String(text))),
          sizes
        )
      }
    })
  )

  it.live("a message that PostgreSQL refuses fails alone", () =>
    Effect.gen(function* () {
      const { nodes: made } = yield* nodes(2, { tableName: "no_such_schema.attachments", createTables: false })
      const [a, b] = made as [Node, Node]
      const results: Array<string> = []
      for (let i = 0; i < 20; i++) {
        a.send(said(i, i === 7 ? Uint8Array.of(1) : ""), ({ _tag }) => void results.push(`${i} ${_tag}`))
      }
      yield* until("all results", () => results.length === 20)
      assert.deepStrictEqual(
        results,
        Array.from({ length: 20 }, (_, i) => `${i} ${i === 7 ? "Failed" : "Published"}`)
      )
      yield* until("the others", () => b.texts().length === 19)
    })
  )

  it.live("T12: notifications of rows name their namespace, and nobody fetches rows of its own", () =>
    Effect.gen(function* () {
      const queries: Array<string> = []
      const spied = (pool: PostgresPool): PostgresPool => ({
        query: (text, values) => pool.query(text, values),
        connect: async () => {
          const client = await pool.connect()
          const query = client.query.bind(client)
          client.query = (text: string, values?: Array<unknown>) => {
            queries.push(text)
            return query(text, values)
          }
          return client
        }
      })
      const channelPrefix = Nodes.freshPrefix()
      const pool = yield* Nodes.pool(server.url)
      const a = yield* open(yield* Bus.make(spied(pool), { channelPrefix }), "/n", false)
      const b = yield* open(yield* Nodes.broker(server.url, { channelPrefix }), "/n", false)
      const raw: Array<string> = []
      const listener = yield* Effect.acquireRelease(
        Effect.promise(async () => {
          const client = new Client({ connectionString: server.url })
          await client.connect()
          client.on("notification", ({ payload }) => void raw.push(payload ?? ""))
          await client.query(`LISTEN "${channelPrefix}#/n"`)
          return client
        }),
        (client) => Effect.promise(() => client.end())
      )
      yield* a.publish(said("binary", Uint8Array.of(1)))
      yield* a.publish(said("end"))
      yield* until("both", () => b.texts().length === 2 && raw.length === 2)
      const parsed = JSON.parse(raw[0]!) as Record<string, unknown>
      assert.deepStrictEqual({ ...parsed, attachmentId: "1" }, { uid: a.uid, type: 3, attachmentId: "1", nsp: "/n" })
      // Its own notifications came before what comes from b.
      yield* b.publish(said("back"))
      yield* until("the answer", () => a.texts().length === 1)
      assert.isFalse(queries.some((text) => text.includes("SELECT payload")))
      assert.isTrue(listener instanceof Client)
    })
  )

  it.live("namespaces with long and odd names are heard, and apart", () =>
    Effect.gen(function* () {
      const channelPrefix = Nodes.freshPrefix()
      const names = [
        `/${"a".repeat(300)}1`,
        `/${"a".repeat(300)}2`,
        `/${"ä".repeat(40)}`,
        `/${"x".repeat(62 - channelPrefix.length - 1)}`,
        `/${"x".repeat(63 - channelPrefix.length - 1)}`,
        '/a"; DROP TABLE socket_io_attachments; --',
        "/a'b",
        "/nul\0nul"
      ]
      const [left, right] = [
        yield* Nodes.broker(server.url, { channelPrefix }),
        yield* Nodes.broker(server.url, { channelPrefix })
      ]
      for (const name of names) {
        const a = yield* open(left, name, true)
        const b = yield* open(right, name, true)
        offsetOf(yield* a.publish(said(name)))
        offsetOf(yield* a.publish(said(name, "x".repeat(9000))))
        yield* until(`a message in ${name}`, () => b.heard.length === 2)
        yield* a.bus.store!.persist(session("p", b.heard[0]!.offset))
        const { missed } = yield* b.bus.store!.restore("p", undefined)
        assert.lengthOf(missed, 1)
      }
    })
  )

  it.live("what others say on the channel is ignored and counted, and nothing throws", () =>
    Effect.gen(function* () {
      const { nodes: made, prefix } = yield* nodes(2, { recovery: true })
      const [a, b] = made as [Node, Node]
      const junk = [
        "",
        "x",
        "{",
        "null",
        "[1]",
        "{}",
        '{"type":3}',
        '{"type":"3","uid":"x","data":[]}',
        '{"type":3,"uid":"x","data":{"packet":{"type":2,"data":["said","for all"]},"opts":{"rooms":"everybody"}}}',
        '{"type":3,"uid":"x","nsp":"/other","data":{"packet":{"type":2,"data":["said"]},"opts":{"rooms":[],"except":[]}}}',
        '{"uid":"x","type":3,"attachmentId":"999999999999"}',
        '{"uid":"x","type":3,"attachmentId":"99999999999999999999999"}',
        '{"uid":"x","type":3,"attachmentId":{"$ne":1}}',
        '{"uid":"x","type":3,"attachmentId":"1; DROP TABLE socket_io_log"}',
        `{"type":2,"uid":"${"u".repeat(1000)}","nsp":"/n"}`,
        `${'{"a":'.repeat(1000)}1${"}".repeat(1000)}`
      ]
      const pool = yield* Nodes.pool(server.url, 1)
      for (const payload of junk) {
        yield* Effect.promise(() => pool.query("SELECT pg_notify($1, $2)", [`${prefix}#/n`, payload]))
      }
      // A row that is no message.
      const garbage = "INSERT INTO socket_io_attachments (payload) VALUES ('\\xc1ff00') RETURNING id"
      const [row] = yield* sql(garbage)
      yield* sql("SELECT pg_notify($1, $2)", [
        `${prefix}#/n`,
        `{"uid":"x","type":3,"attachmentId":${String(row!["id"])}}`
      ])
      // Someone says that it is us.
      yield* sql("SELECT pg_notify($1, $2)", [`${prefix}#/n`, `{"uid":"${a.uid}","type":3,"ref":1,"offset":"1"}`])
      yield* a.publish(said("still there"))
      yield* until("the message", () => b.texts().length > 0)
      assert.deepStrictEqual(b.texts(), ["still there"])
      assert.isAtLeast(b.broker.counters.ignored, junk.length)
    })
  )

  it.live(
    "PostgreSQL is killed and started again: publishing fails at once, then all goes on, with a gap and without loss of the log",
    () =>
      Effect.gen(function* () {
        const { nodes: made } = yield* nodes(2, { recovery: true })
        const { nodes: plain } = yield* nodes(2)
        const [a, b] = made as [Node, Node]
        const health = yield* states(b.broker)
        const first = offsetOf(yield* a.publish(said(1)))
        yield* a.bus.store!.persist(session("p1", first))
        // One more is under way when it happens: it fails, or was committed.
        let last: Published | undefined
        a.send(said("under way"), (published) => (last = published))
        yield* Effect.promise(() => server.kill())
        yield* until("the loss to be noticed", () => health.includes("Disconnected") && last !== undefined)
        yield* until("publishing to fail", () => {
          let failed = false
          a.send(joining, (published) => (failed = published._tag === "Failed"))
          return failed
        })
        const unavailable = yield* a.publish(said("lost"))
        assert.isTrue(unavailable._tag === "Failed" && unavailable.error.reason === "Unavailable")
        const sessionFailure = yield* Effect.flip(a.bus.store!.persist(session("p2", first)))
        assert.isTrue(sessionFailure._tag === "AdapterError" && sessionFailure.reason === "Unavailable")
        yield* Effect.promise(() => server.start())
        yield* until("a gap", () => health.includes("Gap"))
        const again = yield* Effect.repeat(a.publish(said(2)), {
          until: ({ _tag }) => _tag === "Published",
          schedule: Schedule.spaced("20 millis")
        })
        const second = offsetOf(again)
        yield* until("the event after", () => b.texts().includes(2))
        const { missed } = yield* b.bus.store!.restore("p1", first)
        assert.deepStrictEqual(missed.at(-1)?.offset, second)
        assert.isAtLeast(b.broker.counters.gaps, 1)
        // Where nothing is stored, too.
        const [c, d] = plain as [Node, Node]
        yield* until("the others to hear", () => {
          c.send(said("again"))
          return d.texts().includes("again")
        })
        assert.isAtLeast(d.broker.counters.gaps, 1)
      })
  )

  it.live(
    "while PostgreSQL is away the clients of a server hear its events, and what goes to others fails as a value",
    () =>
      Effect.gen(function* () {
        const options = { channelPrefix: Nodes.freshPrefix(), reconnection, heartbeatInterval: "300 millis" } as const
        const adapters = [yield* Nodes.node(server.url, options), yield* Nodes.node(server.url, options)]
        const [here, there] = yield* Effect.forEach(adapters, over)
        yield* acquainted(here!, there!)
        const [a, b] = [here!.client(), there!.client()]
        yield* here!.chat.emit("said", 1)
        yield* until("the first", () => a.heard().length === 1 && b.heard().length === 1)
        yield* Effect.promise(() => server.kill())
        yield* until("publishing to fail", () => here!.adapter.counters!.publishFailures > 0)
        yield* here!.chat.emit("said", 2)
        yield* until("the event here", () => a.heard().length === 2)
        const failure = yield* Effect.flip(here!.chat.fetchSockets())
        assert.strictEqual((failure as { reason?: string }).reason, "Unavailable")
        yield* Effect.promise(() => server.start())
        // They still know each other, and may not have a connection yet.
        const heardAgain = Effect.sync(() => b.heard().includes("again"))
        const emitting = Effect.andThen(here!.chat.emit("said", "again"), heardAgain)
        yield* untilEqual("an event to get through", emitting, true)
        yield* here!.chat.emit("said", 3)
        yield* until("the event there", () => b.heard().includes(3))
        const numbers = (heard: ReadonlyArray<unknown>) => heard.filter((text) => typeof text === "number")
        assert.deepStrictEqual(numbers(a.heard()), [1, 2, 3])
        assert.deepStrictEqual(numbers(b.heard()), [1, 3])
      })
  )

  it.live("a node whose connection was cut gets what it missed from the log, in order, before anything newer", () =>
    Effect.gen(function* () {
      const channelPrefix = Nodes.freshPrefix()
      let away = false
      const pool = yield* Nodes.pool(server.url)
      const unsteady: PostgresPool = {
        query: (text, values) => pool.query(text, values),
        connect: () => (away ? Promise.reject(new Error("no way there")) : pool.connect())
      }
      const a = yield* open(yield* Nodes.broker(server.url, { channelPrefix, reconnection }), "/n", true)
      const b = yield* open(yield* Bus.make(unsteady, { channelPrefix, reconnection }), "/n", true)
      const health = yield* states(b.broker)
      yield* a.publish(said(0))
      yield* until("the first", () => b.texts().length === 1)
      away = true
      yield* cutAll
      yield* until("the loss to be noticed", () => health.includes("Disconnected"))
      // The other one was cut, too, and is back at once.
      yield* Effect.repeat(a.publish(said(1)), {
        until: ({ _tag }) => _tag === "Published",
        schedule: Schedule.spaced("20 millis")
      })
      // More than a page, large and binary ones among them; and what is not stored.
      for (let i = 2; i < 1203; i++) {
        a.send(said(i, i % 100 === 5 ? "x".repeat(9000) : i % 100 === 6 ? Uint8Array.of(i & 255) : ""))
      }
      assert.strictEqual((yield* a.publish(joining))._tag, "Published")
      away = false
      a.send(said(1203))
      yield* until("all that was missed", () => b.texts().includes(1203))
      assert.deepStrictEqual(
        b.texts(),
        Array.from({ length: 1204 }, (_, i) => i)
      )
      assert.include(health, "Gap")
      const offsets = b.heard.map(({ offset }) => Number(offset))
      assert.deepStrictEqual(
        offsets,
        [...offsets].sort((x, y) => x - y)
      )
      yield* a.publish(joining)
      yield* until("what is not stored, again", () => b.texts().at(-1) === MessageType.SOCKETS_JOIN)
    })
  )

  it.live("old rows are deleted, and a log that begins after an offset is told from one that does not", () =>
    Effect.gen(function* () {
      const { nodes: made, prefix } = yield* nodes(1, { recovery: true, cleanupInterval: 50 })
      const [a] = made as [Node]
      const store = a.bus.store!
      const beginning = store.position!
      const offsets: Array<string> = []
      for (let i = 0; i < 6; i++) offsets.push(offsetOf(yield* a.publish(said(i, i === 0 ? Uint8Array.of(1) : ""))))
      for (const [pid, since] of [
        ["p0", beginning],
        ["p2", offsets[2]],
        ["p3", offsets[3]],
        ["p5", offsets[5]]
      ] as const) {
        yield* store.persist(session(pid, since))
      }
      yield* store.persist({ ...session("idle", offsets[0]), written: { last: offsets[0], end: offsets[4] } })
      yield* store.persist(session("old", beginning))
      yield* sql(
        "UPDATE socket_io_sessions SET expires_at = now() - interval '1 second' WHERE channel = $1 AND pid = 'old'",
        [`${prefix}#/n`]
      )
      yield* sql("UPDATE socket_io_log SET created_at = now() - interval '1 hour' WHERE channel = $1 AND id <= $2", [
        `${prefix}#/n`,
        offsets[3]
      ])
      const count = sql("SELECT count(*)::int AS n FROM socket_io_log WHERE channel = $1", [`${prefix}#/n`])
      yield* Effect.repeat(count, { until: ([row]) => row!["n"] === 3, schedule: Schedule.spaced("20 millis") })
      const attachments = sql(
        "SELECT count(*)::int AS n FROM socket_io_attachments WHERE created_at < now() - interval '1 second'"
      )
      yield* Effect.repeat(attachments, { until: ([row]) => row!["n"] === 0, schedule: Schedule.spaced("20 millis") })
      const reasonOf = (pid: string, offset?: string) =>
        Effect.map(Effect.flip(store.restore(pid, offset)), (failure) => ("reason" in failure ? failure.reason : ""))
      assert.strictEqual(yield* reasonOf("old"), "SessionUnknown")
      assert.strictEqual(yield* reasonOf("p0"), "LogTruncated")
      assert.strictEqual(yield* reasonOf("p0"), "SessionUnknown")
      assert.strictEqual(yield* reasonOf("p2"), "LogTruncated")
      const texts = (pid: string, offset?: string) =>
        Effect.map(store.restore(pid, offset), ({ missed }) => missed.map(({ event }) => event.data[1]))
      assert.deepStrictEqual(yield* texts("p3"), [4, 5])
      assert.deepStrictEqual(yield* texts("idle", offsets[0]), [5])
      assert.strictEqual(yield* reasonOf("p5", String(Number(offsets[5]) + 1)), "OffsetUnknown")
      // Nonsense does not cost the session; hostile private ids are none.
      yield* store.persist(session("p6", offsets[5]))
      for (const offset of ["", "x", "-1", "1e3", "9".repeat(30)]) {
        assert.strictEqual(yield* reasonOf("p6", offset), "OffsetUnknown")
      }
      for (const pid of ["", "p\0", "p".repeat(5000), "'; DROP TABLE socket_io_log; --"]) {
        assert.strictEqual(yield* reasonOf(pid), "SessionUnknown")
      }
      const restored = yield* store.restore("p6", undefined)
      assert.deepStrictEqual(restored.missed, [])
      assert.deepStrictEqual(restored.session.rooms, ["sid-p6"])
    })
  )

  it.live("a session is restored once, however many ask, while events go on: none is missing, none twice", () =>
    Effect.gen(function* () {
      const { nodes: made } = yield* nodes(2, { recovery: true })
      const [a, b] = made as [Node, Node]
      const since = offsetOf(yield* a.publish(said("before")))
      yield* until("it there", () => b.bus.store!.position === since)
      yield* a.bus.store!.persist(session("p", since))
      let sent = 0
      const flood = yield* Effect.forkScoped(
        Effect.forever(
          Effect.andThen(
            Effect.sync(() => {
              for (let i = 0; i < 20; i++) a.send(said(sent++))
            }),
            Effect.sleep("1 millis")
          )
        )
      )
      yield* until("a flood", () => b.heard.length > 200)
      const live: Array<unknown> = []
      const attempts = Array.from({ length: 5 }, () =>
        Effect.exit(
          Effect.tap(b.bus.store!.restore("p", since), () =>
            // From here on the namespace delivers: in the same moment.
            Effect.sync(() => live.push(b.heard.length))
          )
        )
      )
      const exits = yield* Effect.all(attempts, { concurrency: "unbounded" })
      const successes = exits.filter(Exit.isSuccess)
      assert.lengthOf(successes, 1)
      const at = live[0] as number
      yield* Fiber.interrupt(flood)
      const missed = successes[0]!.value.missed.map(({ event }) => event.data[1])
      const before = b.texts().slice(1, at)
      assert.deepStrictEqual(missed, before)
    })
  )

  it.live("a server that cannot be reached: by choice a failure, or waiting for it", () =>
    Effect.gen(function* () {
      const url = "postgres://nobody@127.0.0.1:1/none"
      const failure = yield* Effect.flip(Nodes.broker(url, {}))
      assert.isTrue((failure as { reason?: string }).reason === "Unavailable")
      let away = true
      const pool = yield* Nodes.pool(server.url)
      const later: PostgresPool = {
        query: (text, values) => pool.query(text, values),
        connect: () => (away ? Promise.reject(new Error("not yet")) : pool.connect())
      }
      const errors: Array<unknown> = []
      const options = {
        channelPrefix: Nodes.freshPrefix(),
        reconnection,
        onError: (error: unknown) => errors.push(error)
      }
      const broker = yield* Bus.make(later, { ...options, whenUnreachable: "wait" })
      const opening = yield* Effect.forkScoped(open(broker, "/n", false), { startImmediately: true })
      yield* until("attempts that failed", () => errors.length >= 2)
      away = false
      const node = yield* Fiber.join(opening)
      const published = yield* Effect.repeat(node.publish(said(1)), {
        until: ({ _tag }) => _tag === "Published",
        schedule: Schedule.spaced("20 millis")
      })
      assert.strictEqual(published._tag, "Published")
    })
  )

  it.live("nothing is left when the scope closes: no connection, and who waits is told", () =>
    Effect.gen(function* () {
      const pool = yield* Nodes.pool(server.url)
      const scope = yield* Scope.make()
      const broker = yield* Scope.provide(Bus.make(pool, { channelPrefix: Nodes.freshPrefix() }), scope)
      const node = yield* Scope.provide(open(broker, "/n", true), scope)
      yield* node.publish(said(1))
      let told: Published | undefined
      node.send(said(2), (published) => (told = published))
      yield* Scope.close(scope, Exit.void)
      yield* until("an end of the message under way", () => told !== undefined)
      assert.strictEqual((yield* node.publish(said(3)))._tag, "Failed")
      yield* until("the connections to be given back", () => pool.totalCount === pool.idleCount)
    })
  )
})
