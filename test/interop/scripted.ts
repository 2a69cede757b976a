/** What a client sends and how it takes what it is sent, packet by packet, against a server that is scripted. */
import * as assert from "node:assert/strict"
import type { Runnable, Suite } from "../conformance/Case.ts"
import { pass, within } from "../conformance/raw/Wait.ts"
import type { Client, ClientDriver, ClientOptions, ClientSocket } from "./Client.ts"
import { closing, open, opened, packets, type Peer, type ScriptedServer, scriptedServer } from "./ScriptedServer.ts"

interface Given {
  readonly server: ScriptedServer
  open(options?: Partial<ClientOptions>): Client
}

interface Scripted {
  readonly title: string
  readonly run: (given: Given) => Promise<void>
  /** What the official client does otherwise; `"skip"` where it would take the process down. */
  readonly official?: { readonly because: string; readonly instead: ((given: Given) => Promise<void>) | "skip" }
}

const bytes = (...all: ReadonlyArray<number>): Buffer => Buffer.from(all)
const placeholder = (num: number): string => `{"_placeholder":true,"num":${num}}`

/** A socket in /, over WebSocket, with its peer. */
const joined = async (given: Given): Promise<{ client: Client; socket: ClientSocket; peer: Peer }> => {
  const client = given.open()
  const socket = client.socket("/")
  const peer = await opened(given.server)
  assert.equal(await peer.next(), "40")
  peer.send('40{"sid":"first"}')
  assert.equal(await socket.connects(), "first")
  return { client, socket, peer }
}

/** The frames that end the connection with this reason; afterwards the client comes back by itself. */
const ends = (title: string, reason: string, ...frames: ReadonlyArray<string | Buffer>): Scripted => ({
  title: `${title}: ${reason}, the connection is closed and made anew`,
  run: async (given) => {
    const { socket, peer } = await joined(given)
    peer.send(...frames)
    assert.equal(await socket.disconnects(), reason)
    await closing(peer)
    const again = await opened(given.server)
    assert.equal(await again.next(), "40")
    again.send('40{"sid":"second"}')
    assert.equal(await socket.connects(), "second")
  }
})

const ignored = (title: string, ...frames: ReadonlyArray<string | Buffer>): Scripted => ({
  title: `${title}: ignored`,
  run: async (given) => {
    const { socket, peer } = await joined(given)
    peer.send(...frames, '42["after"]')
    assert.deepEqual(await socket.next("after"), [])
    assert.equal(socket.connected, true)
    socket.emit("fence")
    assert.equal(await peer.next(), '42["fence"]')
  }
})

const overWebSocket: ReadonlyArray<Scripted> = [
  {
    title: "the first request: path, EIO=4, transport, nothing of a session",
    run: async (given) => {
      given.open({ query: { room: "a b" } }).socket("/")
      const peer = await given.server.accept()
      assert.equal(peer.path, "/socket.io/")
      assert.deepEqual(
        [...peer.query].toSorted(([a], [b]) => (a < b ? -1 : 1)),
        [
          ["EIO", "4"],
          ["room", "a b"],
          ["transport", "websocket"]
        ]
      )
    }
  },
  {
    title: "CONNECT goes out after the open packet, with auth where there is some, once for each namespace",
    run: async (given) => {
      const client = given.open()
      client.socket("/", { token: "x" })
      client.socket("/custom", () => ({ n: 1 }))
      const peer = await given.server.accept()
      await pass(30)
      assert.equal(peer.pending, 0)
      peer.send(open())
      assert.deepEqual([await peer.next(), await peer.next()].toSorted(), ['40/custom,{"n":1}', '40{"token":"x"}'])
    }
  },
  {
    title: "events, attachments and acknowledgement ids on the wire",
    run: async (given) => {
      const { socket, peer } = await joined(given)
      socket.emit("message", 1, "two", { three: [null] })
      assert.equal(await peer.next(), '42["message",1,"two",{"three":[null]}]')
      socket.emit("message", bytes(1, 2), { deep: bytes(3) })
      assert.equal(await peer.next(), `452-["message",${placeholder(0)},{"deep":${placeholder(1)}}]`)
      assert.deepEqual([await peer.next(), await peer.next()], [bytes(1, 2), bytes(3)])
      const first = socket.ask(3_000, "question", "a")
      assert.equal(await peer.next(), '420["question","a"]')
      const second = socket.ask(3_000, "question", bytes(4))
      assert.equal(await peer.next(), `451-1["question",${placeholder(0)}]`)
      assert.deepEqual(await peer.next(), bytes(4))
      peer.send(`461-1[{"answer":${placeholder(0)}}]`, bytes(9), '430["one"]')
      assert.deepEqual(await second, { answer: bytes(9) })
      assert.equal(await first, "one")
    }
  },
  {
    title: "dates and toJSON are sent as their JSON",
    run: async (given) => {
      const { socket, peer } = await joined(given)
      socket.emit("message", new Date(0), { toJSON: () => "mine" }, [undefined])
      assert.equal(await peer.next(), '42["message","1970-01-01T00:00:00.000Z","mine",[null]]')
    }
  },
  {
    title: "the server's questions are answered, with text and with attachments",
    run: async (given) => {
      const { socket, peer } = await joined(given)
      socket.answer("question", (value) => (value === "text" ? { got: value } : value))
      peer.send('427["question","text"]')
      assert.equal(await peer.next(), '437[{"got":"text"}]')
      peer.send(`451-8["question",${placeholder(0)}]`, bytes(5))
      assert.equal(await peer.next(), `461-8[${placeholder(0)}]`)
      assert.deepEqual(await peer.next(), bytes(5))
      peer.send('420["question","text"]')
      assert.equal(await peer.next(), '430[{"got":"text"}]')
    }
  },
  {
    title: "what was emitted before the connection leaves after CONNECT is answered, in order",
    run: async (given) => {
      const socket = given.open().socket("/")
      for (let i = 0; i < 3; i++) socket.emit("message", i)
      const peer = await opened(given.server)
      assert.equal(await peer.next(), "40")
      await pass(30)
      assert.equal(peer.pending, 0)
      peer.send('40{"sid":"first"}')
      for (let i = 0; i < 3; i++) assert.equal(await peer.next(), `42["message",${i}]`)
    }
  },
  {
    title: "events that come before the CONNECT answer are handed out after it",
    run: async (given) => {
      const socket = given.open().socket("/")
      const peer = await opened(given.server)
      assert.equal(await peer.next(), "40")
      peer.send('42["early",1]', '40{"sid":"first"}', '42["late",2]')
      assert.equal(await socket.connects(), "first")
      assert.deepEqual(await socket.next("early"), [1])
      assert.deepEqual(await socket.next("late"), [2])
    }
  },
  {
    title: "every ping is answered by a pong, at once",
    run: async (given) => {
      const { peer } = await joined(given)
      for (let i = 0; i < 3; i++) {
        peer.send("2")
        assert.equal(await peer.next(), "3")
      }
    }
  },
  {
    title: "no ping within pingInterval + pingTimeout: ping timeout, the connection is closed",
    run: async (given) => {
      const socket = given.open({ reconnection: false }).socket("/")
      const peer = await opened(given.server, { pingInterval: 150, pingTimeout: 100 })
      assert.equal(await peer.next(), "40")
      peer.send('40{"sid":"first"}')
      await socket.connects()
      const from = performance.now()
      assert.equal(await socket.disconnects(), "ping timeout")
      const ms = performance.now() - from
      assert.ok(ms > 150 && ms < 800, `noticed after ${ms.toFixed(0)} ms`)
      await closing(peer)
    }
  },
  {
    title: "CONNECT_ERROR: message and data; another namespace goes on",
    run: async (given) => {
      const { client, socket, peer } = await joined(given)
      const refused = client.socket("/custom")
      assert.equal(await peer.next(), "40/custom,")
      peer.send('44/custom,{"message":"not allowed","data":{"code":42}}')
      assert.deepEqual(await refused.refusals(), { message: "not allowed", data: { code: 42 } })
      socket.emit("fence")
      assert.equal(await peer.next(), '42["fence"]')
      refused.connect()
      assert.equal(await peer.next(), "40/custom,")
      peer.send('40/custom,{"sid":"second"}')
      assert.equal(await refused.connects(), "second")
    }
  },
  {
    title: "a CONNECT answer without sid is one of a server of version 2: connect_error says so",
    run: async (given) => {
      const socket = given.open({ reconnection: false }).socket("/")
      const peer = await opened(given.server)
      await peer.next()
      peer.send("40")
      const { message } = await socket.refusals()
      assert.match(message, /^It seems you are trying to reach a Socket\.IO server in v2\.x with a v3\.x client/)
      assert.equal(socket.connected, false)
    }
  },
  {
    title: "DISCONNECT of the only namespace: io server disconnect, the connection is closed, no reconnection",
    run: async (given) => {
      const { socket, peer } = await joined(given)
      peer.send("41")
      assert.equal(await socket.disconnects(), "io server disconnect")
      await closing(peer)
      await pass(100)
      assert.equal(socket.connected, false)
    }
  },
  {
    title: "disconnect(): a DISCONNECT packet, and the connection is closed after the last namespace",
    run: async (given) => {
      const { client, socket, peer } = await joined(given)
      const custom = client.socket("/custom")
      assert.equal(await peer.next(), "40/custom,")
      peer.send('40/custom,{"sid":"second"}')
      await custom.connects()
      custom.disconnect()
      assert.equal(await peer.next(), "41/custom,")
      socket.disconnect()
      assert.equal(await peer.next(), "41")
      await closing(peer)
      assert.equal(await socket.disconnects(), "io client disconnect")
    }
  },
  {
    title: "an awaited acknowledgement of a connection that is lost fails at once, one that has not left is kept",
    run: async (given) => {
      const { socket, peer } = await joined(given)
      const lost = socket.ask(4_000, "question")
      assert.equal(await peer.next(), '420["question"]')
      const from = performance.now()
      peer.close()
      await assert.rejects(lost)
      assert.ok(performance.now() - from < 1_000)
      await socket.disconnects()
      const kept = socket.ask(4_000, "question", "kept")
      const again = await opened(given.server)
      assert.equal(await again.next(), "40")
      again.send('40{"sid":"second"}')
      const question = String(await again.next())
      assert.match(question, /^42\d+\["question","kept"\]$/)
      again.send(`43${/^42(\d+)/.exec(question)?.[1]}["answered"]`)
      assert.equal(await kept, "answered")
    }
  },
  {
    title: "the server closes: transport close, the connection is made anew with the same auth function",
    run: async (given) => {
      let calls = 0
      const socket = given.open().socket("/", () => ({ call: ++calls }))
      for (const id of ["first", "second"]) {
        const peer = await opened(given.server)
        assert.equal(await peer.next(), `40{"call":${calls}}`)
        peer.send(`40{"sid":"${id}"}`)
        assert.equal(await socket.connects(), id)
        peer.close()
        assert.equal(await socket.disconnects(), "transport close")
      }
      assert.equal(calls, 2)
    }
  },
  {
    title: "names of the prototype in a payload are plain data",
    run: async (given) => {
      const { socket, peer } = await joined(given)
      peer.send('42["evil",{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}]')
      peer.send(`451-["evil",{"__proto__":{"polluted":${placeholder(0)}}}]`, bytes(1))
      await socket.next("evil")
      await socket.next("evil")
      assert.equal(({} as { readonly polluted?: unknown }).polluted, undefined)
    }
  },
  ends("an event that is an object", "parse error", "42{}"),
  ends("an unknown packet type", "parse error", "49"),
  ends("JSON cut short", "parse error", '42["a"'),
  ends("a reserved event name", "parse error", '42["connect"]'),
  ends("an attachment that nobody announced", "parse error", bytes(1)),
  ends("a text while an attachment is awaited", "parse error", `451-["a",${placeholder(0)}]`, '42["b"]'),
  ends("eleven attachments", "parse error", '4511-["a"]'),
  ends("a placeholder out of range", "parse error", `451-["a",${placeholder(3)}]`, bytes(1)),
  {
    ...ends("an unknown packet type of the engine", "parse error", "9"),
    official: {
      because: "an undecodable packet of the engine is reported as a transport error",
      instead: ends("an unknown packet type of the engine", "transport error", "9").run
    }
  },
  {
    ...ends("a close packet", "transport close", "1"),
    official: {
      because: "a close packet is obeyed over polling only; over WebSocket it is ignored",
      instead: ignored("a close packet", "1").run
    }
  },
  ignored("a noop", "6"),
  ignored("an event for a namespace that was not asked for", '42/custom,["a"]'),
  ignored("a DISCONNECT for a namespace that was not asked for", "41/custom,"),
  ignored("acknowledgements that nobody asked for", '430["a"]', '4399["a"]', '439007199254740991["a"]'),
  {
    ...ends("an acknowledgement id beyond the safe integers", "parse error", '439007199254740993["a"]'),
    official: {
      because: "ids are read as floating-point numbers: from 2^53 on they are rounded to another id",
      instead: ignored("an acknowledgement id beyond the safe integers", '439007199254740993["a"]').run
    }
  },
  ignored("an event that nobody listens to", '42["nobody",1]', '42["__proto__",1]', '42["toString"]'),
  {
    title: "an open packet that is no JSON: the attempt fails, and another one is made",
    run: async (given) => {
      const socket = given.open().socket("/")
      for (const handshake of ["0{bad", "0", "0null", "0[]", '0{"sid":1}', open({ pingInterval: "x" })]) {
        const peer = await given.server.accept()
        peer.send(handshake)
        await closing(peer)
        await socket.refusals()
      }
      const peer = await opened(given.server)
      assert.equal(await peer.next(), "40")
    },
    official: {
      because:
        "an open packet that is no JSON throws out of the listener of the WebSocket, and with that through the whole process",
      instead: "skip"
    }
  }
]

/** A polling session of the scripted server in which CONNECT has been answered. */
const polled = async (
  given: Given,
  handshake: Readonly<Record<string, unknown>> = {},
  options: Partial<ClientOptions> = {}
) => {
  const client = given.open({ transports: ["polling"], ...options })
  const socket = client.socket("/")
  const first = await given.server.request("GET")
  first.answer(200, open(handshake))
  const connect = await given.server.request("POST")
  assert.equal(connect.body, "40")
  const poll = await given.server.request("GET")
  connect.answer(200, "ok")
  poll.answer(200, '40{"sid":"first"}')
  assert.equal(await socket.connects(), "first")
  return { client, socket, first, connect, poll }
}

/** An upgrade that fails at the probe; asserts that polling goes on in both directions. */
const wronglyProbed = async (given: Given): Promise<Peer> => {
  const { client, socket } = await polled(given, { upgrades: ["websocket"] }, { transports: ["polling", "websocket"] })
  const poll = await given.server.request("GET")
  const peer = await given.server.accept()
  assert.equal(await peer.next(), "2probe")
  peer.send("3nonsense")
  poll.answer(200, '42["a",1]')
  assert.deepEqual(await socket.next("a"), [1])
  assert.equal(client.transport, "polling")
  socket.emit("message", "x")
  assert.equal((await given.server.request("POST")).body, '42["message","x"]')
  return peer
}

const overPolling: ReadonlyArray<Scripted> = [
  {
    title: "requests: EIO=4, transport, a cache buster that changes, the sid once it is known; text bodies",
    run: async (given) => {
      const { first, connect, poll } = await polled(given)
      assert.equal(first.query.get("EIO"), "4")
      assert.equal(first.query.get("transport"), "polling")
      assert.equal(first.query.get("sid"), null)
      assert.notEqual(first.query.get("t"), null)
      for (const each of [connect, poll]) {
        assert.equal(each.query.get("EIO"), "4")
        assert.equal(each.query.get("sid"), "scripted-session-aaa")
      }
      assert.equal(new Set([first, connect, poll].map((each) => each.query.get("t"))).size, 3)
      assert.match(String(connect.headers["content-type"]), /^text\/plain; ?charset=utf-8$/i)
    }
  },
  {
    title: "one POST at a time; what is emitted meanwhile goes together in the next, binary as base64",
    run: async (given) => {
      const { socket } = await polled(given)
      socket.emit("message", 1)
      const post = await given.server.request("POST")
      assert.equal(post.body, '42["message",1]')
      socket.emit("message", 2)
      socket.emit("message", bytes(1, 2, 3))
      await pass(30)
      post.answer(200, "ok")
      const next = await given.server.request("POST")
      assert.deepEqual(packets(next.body), ['42["message",2]', `451-["message",${placeholder(0)}]`, "bAQID"])
      next.answer(200, "ok")
    }
  },
  {
    title: "bodies are cut at maxPayload, between packets, counting bytes",
    run: async (given) => {
      const { socket } = await polled(given, { maxPayload: 100 })
      for (let i = 0; i < 20; i++) socket.emit("message", `${i} €€€€€`)
      const seen: Array<string> = []
      while (seen.length < 20) {
        const post = await given.server.request("POST")
        assert.ok(Buffer.byteLength(post.body) <= 100, `a body of ${Buffer.byteLength(post.body)} bytes`)
        seen.push(...packets(post.body))
        post.answer(200, "ok")
      }
      assert.deepEqual(
        seen,
        Array.from({ length: 20 }, (_, i) => `42["message","${i} €€€€€"]`)
      )
    }
  },
  {
    title: "several packets in one poll, binary among them, are handed out in order",
    run: async (given) => {
      const { socket } = await polled(given)
      const poll = await given.server.request("GET")
      poll.answer(200, ['42["a",1]', `451-["a",${placeholder(0)}]`, "bAQID", "6", '42["a",3]'].join("\x1e"))
      assert.deepEqual(
        [await socket.next("a"), await socket.next("a"), await socket.next("a")],
        [[1], [bytes(1, 2, 3)], [3]]
      )
    }
  },
  {
    title: "a poll is refused with 400: transport error, a new session is begun",
    run: async (given) => {
      const { socket } = await polled(given)
      ;(await given.server.request("GET")).answer(400, '{"code":1,"message":"Session ID unknown"}')
      assert.equal(await socket.disconnects(), "transport error")
      const again = await given.server.request("GET")
      assert.equal(again.query.get("sid"), null)
    }
  },
  {
    title: "a POST is refused with 413: transport error",
    run: async (given) => {
      const { socket } = await polled(given)
      socket.emit("message", "x")
      ;(await given.server.request("POST")).answer(413, "")
      assert.equal(await socket.disconnects(), "transport error")
    }
  },
  {
    title: "a close packet: transport close",
    run: async (given) => {
      const { socket } = await polled(given)
      ;(await given.server.request("GET")).answer(200, "1")
      assert.equal(await socket.disconnects(), "transport close")
    }
  },
  {
    title: "the handshake is refused: connect_error xhr poll error, and another attempt",
    run: async (given) => {
      const socket = given.open({ transports: ["polling"] }).socket("/")
      for (const status of [403, 500]) {
        ;(await given.server.request("GET")).answer(status, '{"code":4,"message":"Forbidden"}')
        assert.equal((await socket.refusals()).message, "xhr poll error")
      }
      ;(await given.server.request("GET")).answer(200, open())
      assert.equal((await given.server.request("POST")).body, "40")
    }
  },
  {
    title: "upgrade by the book: probe, pause, upgrade packet, and everything over WebSocket from then on",
    run: async (given) => {
      const { client, socket } = await polled(
        given,
        { upgrades: ["websocket"] },
        { transports: ["polling", "websocket"] }
      )
      const poll = await given.server.request("GET")
      const peer = await given.server.accept()
      assert.equal(peer.query.get("sid"), "scripted-session-aaa")
      assert.equal(peer.query.get("transport"), "websocket")
      assert.equal(await peer.next(), "2probe")
      peer.send("3probe")
      // Nothing tells from outside that the client has read it.
      await pass(30)
      socket.emit("message", "held back")
      await pass(30)
      assert.equal(peer.pending, 0, "the upgrade packet came while a poll was pending")
      poll.answer(200, "6")
      assert.equal(await peer.next(), "5")
      assert.equal(await peer.next(), '42["message","held back"]')
      peer.send('42["a",1]')
      assert.deepEqual(await socket.next("a"), [1])
      assert.equal(client.transport, "websocket")
    }
  },
  {
    title: "a probe that is answered wrongly: that connection is closed, polling goes on",
    run: async (given) => {
      const peer = await wronglyProbed(given)
      await closing(peer)
    },
    official: {
      because: "a WebSocket whose probe was answered wrongly is left open, until the server's upgradeTimeout",
      instead: async (given) => {
        const peer = await wronglyProbed(given)
        await assert.rejects(within(peer.closed, "the client to close the WebSocket", 150))
      }
    }
  },
  {
    title: "no probe where the server offers no upgrade",
    run: async (given) => {
      const { client, socket } = await polled(given, { upgrades: [] }, { transports: ["polling", "websocket"] })
      const poll = await given.server.request("GET")
      await pass(50)
      poll.answer(200, '42["a",1]')
      assert.deepEqual(await socket.next("a"), [1])
      assert.equal(client.transport, "polling")
    }
  },
  {
    title: "a payload that nobody can read: the session is given up and a new one begun",
    run: async (given) => {
      const { socket } = await polled(given)
      ;(await given.server.request("GET")).answer(200, "<html>not the server you are looking for</html>")
      assert.match(await socket.disconnects(), /^(parse|transport) error$/)
      const again = await given.server.request("GET")
      assert.equal(again.query.get("sid"), null)
    }
  }
]

/** The suites of a driver; no target takes part in them. */
export const scriptedSuites = (driver: ClientDriver): ReadonlyArray<Suite> => {
  const bind = (transports: ClientOptions["transports"], each: Scripted): ReadonlyArray<Runnable> => {
    const difference = driver.official ? each.official : undefined
    const body = difference === undefined ? each.run : difference.instead
    if (body === "skip") return []
    const run = async () => {
      const server = await scriptedServer()
      const clients: Array<Client> = []
      try {
        await body({
          server,
          open: (options) => {
            const client = driver.open({ endpoint: server.endpoint, transports, ...options })
            clients.push(client)
            return client
          }
        })
      } finally {
        await Promise.all([...clients.map((client) => client.close()), server.stop()])
      }
    }
    return [{ title: each.title, difference: () => difference?.because, run }]
  }
  return [
    {
      name: `${driver.name}, packet by packet: WebSocket`,
      timed: false,
      cases: overWebSocket.flatMap((each) => bind(["websocket"], each))
    },
    {
      name: `${driver.name}, packet by packet: polling`,
      timed: false,
      cases: overPolling.flatMap((each) => bind(["polling"], each))
    }
  ]
}
