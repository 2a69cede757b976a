/** The client suites: one client driver against every server target, over each transport. */
import * as assert from "node:assert/strict"
import { brisk, calm, type Case, type Context, socketSuite, type Suite } from "../conformance/Case.ts"
import type { Endpoint } from "../conformance/raw/Http.ts"
import { pass, within } from "../conformance/raw/Wait.ts"
import type { SocketServer } from "../conformance/Target.ts"
import type { Auth, Client, ClientDriver, ClientOptions, ClientSocket } from "./Client.ts"
import { type Proxy, proxy } from "./Proxy.ts"

type Given = Context<SocketServer>

const ways: ReadonlyArray<readonly [name: string, transports: ClientOptions["transports"]]> = [
  ["polling", ["polling"]],
  ["websocket", ["websocket"]],
  ["upgrade", ["polling", "websocket"]]
]

/** Waits until `condition` holds. */
const until = async (what: string, condition: () => boolean): Promise<void> => {
  let late = false
  const timer = setTimeout(() => {
    late = true
  }, 5_000)
  while (!condition()) {
    if (late) throw new Error(`waited for ${what}`)
    await pass(5)
  }
  clearTimeout(timer)
}

const value = { text: "ñ € 💩", list: [1, 2.5, null, true, { deep: [[]] }], empty: {} }
const bytes = (...all: ReadonlyArray<number>): Buffer => Buffer.from(all)

/** The suites of a driver. */
export const clientSuites = (driver: ClientDriver): ReadonlyArray<Suite> => {
  const open = ({ cleanup }: Given, endpoint: Endpoint, options: Omit<ClientOptions, "endpoint">): Client => {
    const client = driver.open({ endpoint, ...options })
    cleanup(() => client.close())
    return client
  }

  const through = async ({ server, cleanup }: Given): Promise<Proxy> => {
    const relay = await proxy(server.endpoint)
    cleanup(() => relay.stop())
    return relay
  }

  const connected = async (client: Client, nsp = "/", auth?: Auth): Promise<ClientSocket> => {
    const socket = client.socket(nsp, auth)
    await socket.connects()
    return socket
  }

  const over = ([name, transports]: (typeof ways)[number]): ReadonlyArray<Case<SocketServer>> => {
    const each = (title: string, run: (client: Client, given: Given) => Promise<void>): Case<SocketServer> => ({
      title,
      run: async (given) => run(open(given, given.server.endpoint, { transports }), given)
    })
    const relayed = (
      title: string,
      run: (client: Client, relay: Proxy, given: Given) => Promise<void>,
      options: Partial<ClientOptions> = {}
    ): Case<SocketServer> => ({
      title,
      run: async (given) => {
        const relay = await through(given)
        await run(open(given, relay.endpoint, { transports, ...options }), relay, given)
      }
    })
    return [
      each("connects, with auth, over the transport it was told", async (client) => {
        const socket = client.socket("/", { token: "abc", list: [1] })
        assert.match(await socket.connects(), /^[A-Za-z0-9_-]{20}$/)
        assert.equal(socket.connected, true)
        assert.deepEqual(await socket.next("auth"), [{ token: "abc", list: [1] }])
        await until(`the transport to be ${transports.at(-1)}`, () => client.transport === transports.at(-1))
        socket.emit("message", "after")
        assert.deepEqual(await socket.next("message-back"), ["after"])
      }),
      each("no auth is an empty object", async (client) => {
        const socket = await connected(client)
        assert.deepEqual(await socket.next("auth"), [{}])
      }),
      each("text there and back", async (client) => {
        const socket = await connected(client)
        socket.emit("message", 1, "two", value)
        assert.deepEqual(await socket.next("message-back"), [1, "two", value])
        socket.emit("message")
        assert.deepEqual(await socket.next("message-back"), [])
      }),
      each("binary there and back, nested, several, empty", async (client) => {
        const socket = await connected(client)
        const args = [
          bytes(1, 2, 3),
          { deep: [bytes(4), "x", bytes()] },
          "y",
          bytes(...Array.from({ length: 256 }, (_, i) => i))
        ]
        socket.emit("message", ...args)
        assert.deepEqual(await socket.next("message-back"), args)
      }),
      each("the server acknowledges, with text and with binary", async (client) => {
        const socket = await connected(client)
        assert.deepEqual(await socket.ask(undefined, "message-with-ack", value), value)
        assert.deepEqual(await socket.ask(2_000, "message-with-ack", { a: bytes(1, 2) }), { a: bytes(1, 2) })
      }),
      each("many acknowledgements at once, each to its own question", async (client) => {
        const socket = await connected(client)
        const answers = await Promise.all(
          Array.from({ length: 100 }, (_, i) => socket.ask(3_000, "message-with-ack", i))
        )
        assert.deepEqual(
          answers,
          Array.from({ length: 100 }, (_, i) => i)
        )
      }),
      each("the client acknowledges what the server asks, with text and with binary", async (client, given) => {
        const nsp = `/room-${given.unique}`
        const socket = await connected(client, nsp)
        socket.answer("question", (question) => ({ question, answer: bytes(7) }))
        const asker = await connected(open(given, given.server.endpoint, { transports: ["websocket"] }), nsp)
        const answer = asker.ask(3_000, "ask-all", 1_000, "ready?")
        asker.answer("question", () => "mine")
        assert.deepEqual(await answer, "answers")
        assert.deepEqual(await asker.ask(3_000, "ask", socket.id, 1_000, "ready?"), "answer")
      }),
      each("five hundred events in a row, sent at once after connecting, come back in order", async (client) => {
        const socket = client.socket("/")
        for (let i = 0; i < 250; i++) socket.emit("message", i)
        await socket.connects()
        for (let i = 250; i < 500; i++) {
          if (i % 7 === 0) socket.emit("message", i, bytes(i & 255))
          else socket.emit("message", i)
          if (i % 10 === 0) await pass(1)
        }
        for (let i = 0; i < 500; i++) {
          const back = await socket.next("message-back")
          assert.deepEqual(back, i >= 250 && i % 7 === 0 ? [i, bytes(i & 255)] : [i])
        }
      }),
      each("five hundred events of the server arrive in order", async (client) => {
        const socket = client.socket("/")
        for (let burst = 0; burst < 5; burst++) socket.emit("burst", 100)
        for (let i = 0; i < 500; i++) assert.deepEqual(await socket.next("burst"), [i % 100])
      }),
      each("three megabytes at once: cut into bodies that the server takes", async (client) => {
        const socket = await connected(client)
        const blocks = Array.from({ length: 30 }, (_, i) => `${i} ${"x".repeat(100_000)}`)
        for (const block of blocks) socket.emit("message", block)
        for (const block of blocks) {
          const [back] = await socket.next("message-back")
          assert.ok(back === block, "a block came back changed")
        }
      }),
      each("several namespaces on one connection; leaving one leaves the others", async (client, given) => {
        const one = await connected(client, "/")
        const two = await connected(client, "/custom", { of: "two" })
        const nsp = `/room-${given.unique}`
        const three = await connected(client, nsp)
        assert.equal(new Set([one.id, two.id, three.id]).size, 3)
        assert.deepEqual(await two.next("auth"), [{ of: "two" }])
        const id = two.id ?? ""
        two.disconnect()
        assert.equal(await two.disconnects(), "io client disconnect")
        assert.equal((await given.server.disconnectOf(id)).reason, "client namespace disconnect")
        for (const socket of [one, three]) assert.deepEqual(await socket.ask(2_000, "message-with-ack", "x"), "x")
        two.connect()
        await two.connects()
        assert.deepEqual(await two.ask(2_000, "message-with-ack", "y"), "y")
      }),
      each("an unknown namespace: connect_error Invalid namespace, the others go on", async (client) => {
        const one = await connected(client)
        const unknown = client.socket("/random")
        assert.equal((await unknown.refusals()).message, "Invalid namespace")
        assert.equal(unknown.connected, false)
        assert.deepEqual(await one.ask(2_000, "message-with-ack", "x"), "x")
      }),
      each("middleware refuses: message and data; connecting again with other auth succeeds", async (client, given) => {
        let token = "wrong"
        const socket = client.socket(`/guarded-${given.unique}`, () => ({ token }))
        assert.deepEqual(await socket.refusals(), { message: "not allowed", data: { code: 42 } })
        token = "secret"
        socket.connect()
        await socket.connects()
        assert.deepEqual(await socket.next("auth"), [{ token: "secret" }])
      }),
      each("rooms and broadcasts reach who they are for", async (client, given) => {
        const nsp = `/room-${given.unique}`
        const one = await connected(client, nsp)
        const two = await connected(open(given, given.server.endpoint, { transports }), nsp)
        const three = await connected(open(given, given.server.endpoint, { transports: ["websocket"] }), nsp)
        await two.ask(2_000, "join", "a")
        await three.ask(2_000, "join", "b")
        await one.ask(2_000, "to", ["a"], [], "for a")
        assert.deepEqual(await two.next("told"), ["for a"])
        await one.ask(2_000, "to", ["a", "b"], ["b"], { bin: bytes(1) })
        assert.deepEqual(await two.next("told"), [{ bin: bytes(1) }])
        await one.ask(2_000, "all", "for everybody")
        for (const socket of [one, two, three]) assert.deepEqual(await socket.next("told"), ["for everybody"])
      }),
      each(
        "the server disconnects the namespace: io server disconnect, no reconnection; connect() works",
        async (client, given) => {
          const socket = await connected(client, `/room-${given.unique}`)
          socket.emit("leave-me", false)
          assert.equal(await socket.disconnects(), "io server disconnect")
          await pass(100)
          assert.equal(socket.connected, false)
          socket.connect()
          await socket.connects()
          assert.deepEqual(await socket.ask(2_000, "message-with-ack", "x"), "x")
        }
      ),
      each("the server disconnects with close: io server disconnect, no reconnection", async (client, given) => {
        const socket = await connected(client, `/room-${given.unique}`)
        socket.emit("leave-me", true)
        assert.equal(await socket.disconnects(), "io server disconnect")
        await pass(100)
        assert.equal(socket.connected, false)
      }),
      each("an acknowledgement that never comes fails after its timeout", async (client) => {
        const socket = await connected(client)
        const from = performance.now()
        await assert.rejects(socket.ask(120, "nobody listens"))
        const ms = performance.now() - from
        assert.ok(ms >= 115 && ms < 1_500, `failed after ${ms.toFixed(0)} ms`)
        assert.deepEqual(await socket.ask(2_000, "message-with-ack", "x"), "x")
      }),
      relayed(
        "the connection is cut: disconnected, reconnected with a new id; what was emitted meanwhile arrives",
        async (client, relay) => {
          const socket = await connected(client)
          const id = socket.id
          await relay.outage(async () => {
            assert.match(await socket.disconnects(), /^transport (close|error)$/)
            socket.emit("message", "while down", bytes(1))
            await pass(50)
          })
          assert.notEqual(await socket.connects(), id)
          assert.deepEqual(await socket.next("message-back"), ["while down", bytes(1)])
          socket.emit("message", "after")
          assert.deepEqual(await socket.next("message-back"), ["after"])
        }
      ),
      {
        ...relayed("volatile events are dropped while there is no connection", async (client, relay) => {
          const socket = await connected(client)
          await until("the upgrade", () => client.transport === transports.at(-1))
          await relay.outage(async () => {
            await socket.disconnects()
            socket.emitVolatile("message", "volatile")
          })
          await socket.connects()
          socket.emit("message", "after")
          // The official WebSocket transport stays "writable" when it is closed, so that volatile events are kept like any other.
          const kept = driver.official && transports.at(-1) === "websocket"
          if (kept) assert.deepEqual(await socket.next("message-back"), ["volatile"])
          assert.deepEqual(await socket.next("message-back"), ["after"])
        }),
        client:
          driver.official && transports.at(-1) === "websocket"
            ? "the client keeps volatile events while it is disconnected: its closed WebSocket still counts as writable"
            : undefined
      },
      relayed("all namespaces come back after a cut, each with its auth", async (client, relay) => {
        let calls = 0
        const one = await connected(client, "/", () => ({ call: ++calls }))
        const two = await connected(client, "/custom", { two: true })
        assert.deepEqual(await one.next("auth"), [{ call: 1 }])
        assert.deepEqual(await two.next("auth"), [{ two: true }])
        await relay.outage(() => Promise.all([one.disconnects(), two.disconnects()]))
        await Promise.all([one.connects(), two.connects()])
        assert.deepEqual(await one.next("auth"), [{ call: 2 }])
        assert.deepEqual(await two.next("auth"), [{ two: true }])
      }),
      relayed("an acknowledgement that is awaited when the connection is cut fails at once", async (client, relay) => {
        const socket = await connected(client)
        // A server that gets the question and does not answer it: the event has no listener there.
        const answer = socket.ask(4_500, "nobody listens")
        await socket.ask(2_000, "message-with-ack", "fence")
        const from = performance.now()
        await relay.outage(() => assert.rejects(within(answer, "the acknowledgement to fail")))
        assert.ok(performance.now() - from < 1_000, "waited for the timeout")
      }),
      relayed(
        "nobody there at first: connect_error, then connected without being told again",
        async (client, relay) => {
          relay.refuse(true)
          const socket = client.socket("/")
          socket.emit("message", "early")
          await socket.refusals()
          await socket.refusals()
          assert.equal(socket.connected, false)
          relay.refuse(false)
          await socket.connects()
          assert.deepEqual(await socket.next("message-back"), ["early"])
        }
      ),
      relayed(
        "no reconnection when it is switched off",
        async (client, relay) => {
          const socket = await connected(client)
          await relay.outage(() => socket.disconnects())
          await pass(120)
          assert.equal(socket.connected, false)
        },
        { reconnection: false }
      ),
      relayed("after disconnect() there is no reconnection, after connect() there is", async (client, relay) => {
        const socket = await connected(client)
        socket.disconnect()
        assert.equal(await socket.disconnects(), "io client disconnect")
        await pass(80)
        assert.equal(socket.connected, false)
        socket.connect()
        await socket.connects()
        await relay.outage(() => socket.disconnects())
        await socket.connects()
      }),
      relayed(
        "with retries an event survives a cut before its acknowledgement",
        async (client, relay) => {
          const socket = await connected(client)
          relay.freeze(true)
          const answer = socket.ask(undefined, "message-with-ack", "again")
          await pass(30)
          relay.cut()
          relay.freeze(false)
          await socket.connects()
          assert.deepEqual(await within(answer, "the acknowledgement after a retry"), "again")
        },
        { retries: 5, ackTimeout: 300 }
      )
    ].map((each) => ({ ...each, title: `${name}: ${each.title}` }))
  }

  const msgpack = ways.map(([name, transports]): Case<SocketServer> => ({
    title: `${name}: text, binary, acknowledgements, namespaces, refusals`,
    run: async (given) => {
      const client = open(given, given.server.endpoint, { transports, msgpack: true })
      const socket = await connected(client, "/", { token: "abc" })
      assert.deepEqual(await socket.next("auth"), [{ token: "abc" }])
      socket.emit("message", 1, value, bytes(1, 2, 3), { deep: [bytes()] })
      assert.deepEqual(await socket.next("message-back"), [1, value, bytes(1, 2, 3), { deep: [bytes()] }])
      assert.deepEqual(await socket.ask(2_000, "message-with-ack", { a: bytes(4) }), { a: bytes(4) })
      const custom = await connected(client, "/custom")
      assert.deepEqual(await custom.ask(2_000, "message-with-ack", "x"), "x")
      const refused = client.socket(`/guarded-${given.unique}`)
      assert.deepEqual(await refused.refusals(), { message: "not allowed", data: { code: 42 } })
      custom.emit("leave-me", false)
      assert.equal(await custom.disconnects(), "io server disconnect")
      const nsp = `/room-${given.unique}`
      const other = await connected(open(given, given.server.endpoint, { transports, msgpack: true }), nsp)
      other.answer("question", (question) => ({ question, bin: bytes(5) }))
      const asker = await connected(client, nsp)
      assert.equal(await asker.ask(3_000, "ask", other.id, 1_000, "ready?"), "answer")
    }
  }))

  const timed = ways.flatMap(([name, transports]): ReadonlyArray<Case<SocketServer>> => [
    {
      title: `${name}: heartbeats keep an idle connection`,
      run: async (given) => {
        const client = open(given, given.server.endpoint, { transports })
        const socket = await connected(client)
        const id = socket.id
        await pass(4 * brisk.pingInterval)
        assert.deepEqual(await socket.ask(1_000, "message-with-ack", "x"), "x")
        assert.equal(socket.id, id)
      }
    },
    {
      title: `${name}: silence is noticed on both sides as a ping timeout; afterwards it reconnects`,
      run: async (given) => {
        const relay = await through(given)
        const client = open(given, relay.endpoint, { transports })
        const socket = await connected(client)
        const id = socket.id ?? ""
        await until("the upgrade", () => client.transport === transports.at(-1))
        relay.freeze(true)
        assert.equal(await socket.disconnects(), "ping timeout")
        assert.equal((await given.server.disconnectOf(id)).reason, "ping timeout")
        relay.cut()
        relay.freeze(false)
        await socket.connects()
        assert.deepEqual(await socket.ask(1_000, "message-with-ack", "x"), "x")
      }
    }
  ])

  const closing = ways.map(([name, transports]): Case<SocketServer> => ({
    title: `${name}: the server shuts down: the client is told in a way that lets it come back`,
    run: async (given) => {
      const server = await given.target.socket({ ...calm, fresh: given.unique })
      const client = open(given, server.endpoint, { transports })
      const socket = await connected(client)
      const id = socket.id ?? ""
      await until("the upgrade", () => client.transport === transports.at(-1))
      const stopped = server.stop()
      assert.match(await socket.disconnects(), /^transport (close|error)$/)
      await socket.refusals()
      assert.equal((await server.disconnectOf(id)).reason, "server shutting down")
      await stopped
    }
  }))

  return [
    ...ways.map((way) => socketSuite(`${driver.name}: ${way[0]}`, calm, over(way))),
    socketSuite(`${driver.name}: msgpack`, { ...calm, parser: "msgpack" }, msgpack),
    socketSuite(`${driver.name}: in time`, brisk, timed, { timed: true }),
    socketSuite(`${driver.name}: shutting down`, calm, closing)
  ]
}
