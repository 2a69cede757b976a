/**
 * The published vulnerabilities of engine.io, socket.io, socket.io-parser and ws, tried against both APIs: whoever attacks loses at most
 * their own connection, and a bystander is served before, during and after.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { connect, type Socket } from "node:net"
import { polling } from "../conformance/raw/Engine.ts"
import { ask, type Endpoint, exchange, outcome, target } from "../conformance/raw/Http.ts"
import { within } from "../conformance/raw/Wait.ts"
import * as Ws from "../conformance/raw/Ws.ts"
import * as Victim from "./Victim.ts"

/** A WebSocket that has joined the main namespace. */
const joined = async (endpoint: Endpoint): Promise<Ws.Ws> => {
  const ws = await Ws.open(endpoint, { EIO: "4", transport: "websocket" })
  await ws.next()
  ws.send("40")
  await ws.next()
  return ws
}

/** Sends packets on a connection of their own; the server closes it. */
const closes = async (endpoint: Endpoint, ...frames: ReadonlyArray<string | Uint8Array>): Promise<void> => {
  const ws = await joined(endpoint)
  for (const frame of frames) ws.send(frame)
  await Ws.closing(ws)
}

/** Sends packets on a connection of their own; the server goes on serving it. */
const survives = async (endpoint: Endpoint, ...frames: ReadonlyArray<string | Uint8Array>): Promise<void> => {
  const ws = await joined(endpoint)
  for (const frame of frames) ws.send(frame)
  ws.send('427["echo","after"]')
  assert.strictEqual(await ws.next(), '437["after"]')
  ws.cut()
}

/** Writes bytes over a bare TCP connection; gives it, with what comes back. */
const tcp = async (
  endpoint: Endpoint,
  bytes: ReadonlyArray<string | Uint8Array>
): Promise<{ readonly socket: Socket; readonly closed: Promise<string> }> => {
  const socket = connect(endpoint.port, "127.0.0.1")
  let text = ""
  socket.on("error", () => {})
  socket.on("data", (chunk) => (text += chunk.toString("latin1")))
  const closed = new Promise<string>((resolve) => socket.on("close", () => resolve(text)))
  await new Promise<void>((resolve) => socket.once("connect", resolve))
  for (const part of bytes) socket.write(part)
  return { socket, closed }
}

const upgradeHead = (endpoint: Endpoint, extra: ReadonlyArray<string> = [], query = "EIO=4&transport=websocket") =>
  [
    `GET ${target(endpoint, query)} HTTP/1.1`,
    "Host: 127.0.0.1",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ...extra,
    "",
    ""
  ].join("\r\n")

/** A masked text frame with a mask of zeros. */
const frame = (first: number, text: string): Buffer => {
  const payload = Buffer.from(text)
  return Buffer.concat([Buffer.from([first, 0x80 | payload.length, 0, 0, 0, 0]), payload])
}

interface Attack {
  readonly cve: string
  readonly what: string
  readonly run: (endpoint: Endpoint) => Promise<void>
}

const attacks: ReadonlyArray<Attack> = [
  {
    cve: "CVE-2020-36048",
    what: "a POST that announces or sends more than the limit is refused as its bytes arrive",
    run: async (endpoint) => {
      const session = await polling(endpoint)
      const announced = exchange(endpoint, {
        method: "POST",
        query: session.query,
        headers: { "content-length": 100_000_000 },
        body: "4x",
        keepOpen: true
      })
      assert.include([413, "aborted"], await outcome(announced.reply))
      announced.abort()
      const streamed = exchange(endpoint, {
        method: "POST",
        query: (await polling(endpoint)).query,
        headers: { "transfer-encoding": "chunked" },
        body: "4".repeat(Victim.maxHttpBufferSize + 1),
        keepOpen: true
      })
      assert.include([413, "aborted"], await outcome(streamed.reply))
      streamed.abort()
    }
  },
  {
    cve: "CVE-2022-2421",
    what: "a placeholder whose number is no number, or not one of an attachment, is a parse error",
    run: async (endpoint) => {
      for (const num of ['"splice"', '"__proto__"', "-1", "1", "0.5", "1e9", "null", "{}"]) {
        await closes(endpoint, `451-["echo",{"_placeholder":true,"num":${num}}]`, new Uint8Array([1]))
      }
    }
  },
  {
    cve: "CVE-2022-21676",
    what: "an invalid frame that comes together with the upgrade request",
    run: async (endpoint) => {
      for (const first of [0xb1, 0xf1, 0x83, 0x01]) {
        const { closed } = await tcp(endpoint, [Buffer.concat([Buffer.from(upgradeHead(endpoint)), frame(first, "x")])])
        if (first !== 0x01) await within(closed, "the connection to be closed")
      }
    }
  },
  {
    cve: "CVE-2022-41940",
    what: "a connection that is reset while its upgrade is under way",
    run: async (endpoint) => {
      for (let i = 0; i < 20; i++) {
        const { socket, closed } = await tcp(endpoint, [upgradeHead(endpoint), frame(0x81, "40")])
        if (i % 2 === 0) await new Promise<void>((resolve) => socket.once("data", () => resolve()))
        socket.resetAndDestroy()
        await closed
      }
    }
  },
  {
    cve: "CVE-2023-31125",
    what: "transports that do not exist, or are names of Object.prototype, by request and by upgrade",
    run: async (endpoint) => {
      const { sid } = await polling(endpoint)
      for (const transport of [
        "__proto__",
        "constructor",
        "toString",
        "webtransport",
        "foo",
        "",
        "polling",
        "websocket"
      ]) {
        for (const query of [`EIO=4&transport=${transport}`, `EIO=4&transport=${transport}&sid=${sid}x`]) {
          const reply = await ask(endpoint, { query })
          assert.include([200, 400], reply.status)
          const { closed, socket } = await tcp(endpoint, [upgradeHead(endpoint, [], query)])
          if (transport === "websocket") socket.destroy()
          await within(closed, `the upgrade to ${query} to end`)
        }
      }
      for (const query of [
        "EIO=4&transport=polling&transport=websocket",
        "EIO=4&EIO=3&transport=websocket",
        "sid=&sid=",
        ""
      ]) {
        assert.include([200, 400], (await ask(endpoint, { query })).status)
      }
    }
  },
  {
    cve: "CVE-2023-32695",
    what: "an event whose name is not a text",
    run: async (endpoint) => {
      for (const name of ['{"toString":"foo"}', "[]", "null", "true", '[["x"]]', '{"__proto__":{}}', '{"length":1}']) {
        await closes(endpoint, `42[${name}]`)
      }
      for (const packet of ["42", "42{}", "42[]", '42"echo"', "42null", "43", '43"x"', "430", "42[", '40{"a"', "49"]) {
        await closes(endpoint, packet)
      }
      // A number as a name is one of the official parser's: it is an event that nobody listens to.
      await survives(endpoint, "42[1]")
    }
  },
  {
    cve: "CVE-2024-37890",
    what: "an upgrade request with more headers than are read",
    run: async (endpoint) => {
      const many = Array.from({ length: 3000 }, (_, i) => `${i}: x`).slice(0, 2500)
      const { closed, socket } = await tcp(endpoint, [
        [
          `GET ${target(endpoint, "EIO=4&transport=websocket")} HTTP/1.1`,
          "Host: 127.0.0.1",
          ...many.map((line) => `a${line}`),
          "Connection: Upgrade",
          "Upgrade: websocket",
          "Sec-WebSocket-Version: 13",
          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
          "",
          ""
        ].join("\r\n")
      ])
      socket.end()
      await within(closed, "the connection to be closed")
    }
  },
  {
    cve: "CVE-2024-38355",
    what: "an event named error, to which nobody listens",
    run: async (endpoint) => {
      for (const name of [
        "error",
        "newListener",
        "removeListener",
        "connect",
        "disconnect",
        "disconnecting",
        "connect_error"
      ]) {
        const ws = await joined(endpoint)
        ws.send(`42["${name}","x",{}]`)
        ws.cut()
        await ws.closed
      }
      await survives(endpoint, '42["error","x"]', '42["__proto__","x"]', '42["constructor"]', '42["hasOwnProperty",1]')
    }
  },
  {
    cve: "CVE-2026-33151",
    what: "a packet that announces endless attachments, or none",
    run: async (endpoint) => {
      for (const count of ["0", "99999999", "1e9", "-1", "", "999999999999999999999"]) {
        await closes(endpoint, `45${count}-["echo",{"_placeholder":true,"num":0}]`)
      }
      // Text in place of an attachment, and an attachment that nobody announced.
      await closes(endpoint, '451-["echo",{"_placeholder":true,"num":0}]', '42["echo"]')
      await closes(endpoint, new Uint8Array(10))
    }
  },
  {
    cve: "CVE-2026-59725",
    what: "a binary POST to the polling transport",
    run: async (endpoint) => {
      for (let i = 0; i < 20; i++) {
        const session = await polling(endpoint)
        const body = i % 2 === 0 ? new Uint8Array([0xff, 0xfe, 0, 1]) : new Uint8Array(0)
        const headers = { "content-type": "application/octet-stream" }
        const reply = exchange(endpoint, { method: "POST", query: session.query, headers, body }).reply
        assert.include([200, 400, "aborted"], await outcome(reply))
        const next = exchange(endpoint, { query: session.query })
        next.abort()
        await next.reply.catch(() => {})
      }
    }
  },
  {
    cve: "CVE-2021-32640",
    what: "a Sec-WebSocket-Protocol header that takes long to read",
    run: async (endpoint) => {
      const { closed, socket } = await tcp(endpoint, [
        upgradeHead(endpoint, [
          `Sec-WebSocket-Protocol: a${" ".repeat(12_000)}a`,
          `Sec-WebSocket-Extensions: ${"permessage-deflate; ".repeat(100)}`
        ])
      ])
      socket.end()
      await within(closed, "an answer in time")
    }
  }
]

for (const [name, start] of [
  ["Effect API", Victim.effect],
  ["facade", Victim.facade]
] as const) {
  describe(`published vulnerabilities, ${name}`, () => {
    let victim: Victim.Victim
    const uncaught: Array<unknown> = []
    const note = (error: unknown): void => void uncaught.push(error)
    beforeAll(async () => {
      process.on("uncaughtException", note)
      process.on("unhandledRejection", note)
      victim = await start()
    })
    afterAll(async () => {
      await victim.stop()
      process.off("uncaughtException", note)
      process.off("unhandledRejection", note)
    })

    for (const { cve, what, run } of attacks) {
      it(`${cve}: ${what}`, async () => {
        await victim.bystander()
        await run(victim.endpoint)
        await victim.bystander()
        assert.deepStrictEqual(uncaught, [])
      })
    }
  })
}
