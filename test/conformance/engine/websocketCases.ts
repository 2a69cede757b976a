/** Engine.IO: WebSocket sessions frame by frame. */
import * as assert from "node:assert/strict"
import { calm, type Case, engineSuite } from "../Case.ts"
import { handshakeOf, polling, websocket } from "../raw/Engine.ts"
import * as Ws from "../raw/Ws.ts"
import type { EngineServer } from "../Target.ts"

const echoes: ReadonlyArray<readonly [what: string, frame: string | Buffer]> = [
  ["a text message", "4hello"],
  ["an empty text message", "4"],
  ["a binary message", Buffer.from([1, 2, 3, 4])],
  ["an empty binary message", Buffer.alloc(0)],
  ["a binary message that looks like a packet", Buffer.from("4hello")],
  ["a binary message of every byte", Buffer.from(Array.from({ length: 256 }, (_, i) => i))],
  ["text outside the basic plane", "4utf 8 ñ € 💩 \u{10ffff} \u0000"],
  ["text with the separator of polling payloads", "4a\u001e4b"],
  ["a message longer than 65,535 bytes", `4${"x".repeat(70_000)}`]
]

const unreadable: ReadonlyArray<readonly [what: string, frame: string]> = [
  ["abc", "abc"],
  ["an unknown type", "9xyz"],
  ["an empty text frame", ""],
  ["a type in another script", "٤hello"]
]

const cases: ReadonlyArray<Case<EngineServer>> = [
  ...echoes.map(([what, frame]) => ({
    title: `${what} comes back as it was, in a frame of its kind`,
    run: async ({ server, cleanup }: { server: EngineServer; cleanup: (f: () => void) => void }) => {
      const { ws } = await websocket(server.endpoint)
      cleanup(() => ws.cut())
      ws.send(frame)
      assert.deepEqual(await ws.next(), frame)
    }
  })),
  {
    title: "a thousand mixed frames come back in order",
    run: async ({ server, cleanup }) => {
      const { ws } = await websocket(server.endpoint)
      cleanup(() => ws.cut())
      const frames = Array.from({ length: 1_000 }, (_, i) => (i % 3 === 0 ? Buffer.from(`${i}`) : `4${i}`))
      for (const frame of frames) ws.send(frame)
      for (const frame of frames) assert.deepEqual(await ws.next(), frame)
    }
  },
  {
    title: "a message in several fragments is one message",
    run: async ({ server, cleanup }) => {
      const { ws } = await websocket(server.endpoint)
      cleanup(() => ws.cut())
      ws.socket.send("4he", { fin: false })
      ws.socket.send("ll", { fin: false })
      ws.socket.send("o", { fin: true })
      assert.equal(await ws.next(), "4hello")
    }
  },
  {
    title: "a ping of WebSocket itself is answered with its payload",
    run: async ({ server, cleanup }) => {
      const { ws } = await websocket(server.endpoint)
      cleanup(() => ws.cut())
      const pong = new Promise<string>((resolve) => ws.socket.once("pong", (data) => resolve(data.toString())))
      ws.socket.ping("are you there")
      assert.equal(await pong, "are you there")
    }
  },
  ...unreadable.map(([what, frame]) => ({
    title: `${what}: the connection is closed with a parse error`,
    run: async ({ server, cleanup }: { server: EngineServer; cleanup: (f: () => void) => void }) => {
      const { ws, sid } = await websocket(server.endpoint)
      cleanup(() => ws.cut())
      ws.send(frame)
      await Ws.closing(ws)
      assert.equal((await server.closeOf(sid)).reason, "parse error")
      assert.equal(ws.inbox.size, 0)
    }
  })),
  {
    title: "a ping from the client: the connection is closed with a transport error",
    run: async ({ server, cleanup }) => {
      const { ws, sid } = await websocket(server.endpoint)
      cleanup(() => ws.cut())
      ws.send("2")
      await Ws.closing(ws)
      assert.equal((await server.closeOf(sid)).reason, "transport error")
    }
  },
  {
    title: "a close packet: the connection is closed with a transport close",
    run: async ({ server, cleanup }) => {
      const { ws, sid } = await websocket(server.endpoint)
      cleanup(() => ws.cut())
      ws.send("1")
      await Ws.closing(ws)
      assert.equal((await server.closeOf(sid)).reason, "transport close")
    },
    official: {
      because:
        "a close packet over WebSocket is ignored (S41); it only seems to close when the heartbeat of the test runs out",
      instead: async ({ server, cleanup }) => {
        const { ws } = await websocket(server.endpoint)
        cleanup(() => ws.cut())
        ws.send("1")
        ws.send("4still here")
        assert.equal(await ws.next(), "4still here")
      }
    }
  },
  {
    title: "open, upgrade, noop and unasked pong packets from the client are ignored",
    run: async ({ server, cleanup }) => {
      const { ws } = await websocket(server.endpoint)
      cleanup(() => ws.cut())
      for (const frame of ["0{}", "5", "6", "3"]) ws.send(frame)
      ws.send("4still here")
      assert.equal(await ws.next(), "4still here")
    }
  },
  {
    title: "a text frame that is not UTF-8: the connection is closed with 1007, the session with a transport error",
    run: async ({ server, cleanup }) => {
      const { ws, sid } = await websocket(server.endpoint)
      cleanup(() => ws.cut())
      ws.socket.send(Buffer.from([0x34, 0xff, 0xfe]), { binary: false })
      assert.equal((await Ws.closing(ws)).code, 1007)
      assert.equal((await server.closeOf(sid)).reason, "transport error")
    }
  },
  {
    title: "the client closes: the session is closed with a transport close",
    run: async ({ server }) => {
      const { ws, sid } = await websocket(server.endpoint)
      ws.socket.close()
      await Ws.closing(ws)
      assert.equal((await server.closeOf(sid)).reason, "transport close")
    }
  },
  {
    title: "the client's connection is cut: the session is closed with a transport close",
    run: async ({ server }) => {
      const { ws, sid } = await websocket(server.endpoint)
      ws.cut()
      assert.equal((await server.closeOf(sid)).reason, "transport close")
    }
  },
  {
    title:
      "a second WebSocket with the sid of a session that began over WebSocket may probe; the first keeps working meanwhile",
    run: async ({ server, cleanup }) => {
      const { ws, sid } = await websocket(server.endpoint)
      cleanup(() => ws.cut())
      const second = await Ws.open(server.endpoint, { EIO: "4", transport: "websocket", sid })
      cleanup(() => second.cut())
      second.send("2probe")
      assert.equal(await second.next(), "3probe")
      ws.send("4still here")
      assert.equal(await ws.next(), "4still here")
    }
  },
  {
    title: "a frame in the same TCP segment as the WebSocket handshake is not lost",
    run: async ({ server, cleanup }) => {
      // ws offers no way to send before the 101 arrives, so the frames follow as early as they can: in the turn of the open packet.
      const { ws } = await websocket(server.endpoint)
      cleanup(() => ws.cut())
      ws.socket.send("4one")
      ws.socket.send("4two")
      assert.deepEqual([await ws.next(), await ws.next()], ["4one", "4two"])
    }
  },
  {
    title: "base64 in a text frame is a binary message",
    run: async ({ server, cleanup }) => {
      const { ws } = await websocket(server.endpoint)
      cleanup(() => ws.cut())
      ws.send("bAQIDBA==")
      assert.deepEqual(await ws.next(), Buffer.from([1, 2, 3, 4]))
    }
  },
  {
    title: "with b64=1 binary messages come as base64 in text frames",
    run: async ({ server, cleanup }) => {
      const ws = await Ws.open(server.endpoint, { EIO: "4", transport: "websocket", b64: "1" })
      cleanup(() => ws.cut())
      handshakeOf(await ws.next())
      ws.send(Buffer.from([1, 2, 3, 4]))
      assert.equal(await ws.next(), "bAQIDBA==")
    }
  },
  {
    title: "compression is not negotiated by default, though the client offers it",
    run: async ({ server, cleanup }) => {
      const ws = await Ws.open(server.endpoint, { EIO: "4", transport: "websocket" }, true)
      cleanup(() => ws.cut())
      handshakeOf(await ws.next())
      assert.equal(ws.socket.extensions, "")
    }
  },
  {
    title: "many sessions at once do not mix",
    run: async ({ server, cleanup }) => {
      const opened = await Promise.all(Array.from({ length: 30 }, () => websocket(server.endpoint)))
      cleanup(() => opened.forEach(({ ws }) => ws.cut()))
      for (const { ws, sid } of opened) ws.send(`4${sid}`)
      for (const { ws, sid } of opened) assert.equal(await ws.next(), `4${sid}`)
      await polling(server.endpoint)
    }
  }
]

/** Suites about WebSocket sessions. */
export const websocketSuites = [engineSuite("Engine.IO WebSocket", calm, cases)]
