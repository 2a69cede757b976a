/** Socket.IO where the transport shows through: volatile events, payload limits, the path, broadcasts during an upgrade. */
import * as assert from "node:assert/strict"
import { calm, type Case, socketSuite } from "../Case.ts"
import { polling, type Polling, separator } from "../raw/Engine.ts"
import { arrived, ask } from "../raw/Http.ts"
import { connected } from "../raw/SocketIo.ts"
import * as Ws from "../raw/Ws.ts"
import type { SocketServer } from "../Target.ts"
import { connection } from "./connecting.ts"

const joined = async (opened: Polling, nsp: string): Promise<void> => {
  await opened.post(`40${nsp},`)
  const [connect, auth] = (await opened.poll()).text.split(separator)
  connected((connect ?? "").slice(1), nsp)
  assert.equal(auth ?? (await opened.poll()).text, `42${nsp},["auth",{}]`)
}

const cases: ReadonlyArray<Case<SocketServer>> = [
  {
    title: "polling: a volatile event is dropped when no poll is waiting, other events are kept",
    run: async ({ server, unique }) => {
      const nsp = `/room-${unique}`
      const opened = await polling(server.endpoint)
      await joined(opened, nsp)
      await opened.post(`42${nsp},["volatile","dropped"]${separator}42${nsp},["message","kept"]`)
      assert.equal((await opened.poll()).text, `42${nsp},["message-back","kept"]`)
    }
  },
  {
    title: "polling: a volatile event is delivered to a poll that waits",
    run: async ({ server, unique }) => {
      const nsp = `/room-${unique}`
      const opened = await polling(server.endpoint)
      await joined(opened, nsp)
      const poll = opened.startPoll()
      await arrived(server.endpoint)
      await opened.post(`42${nsp},["volatile","now"]`)
      assert.equal((await poll.reply).text, `42${nsp},["told","now"]`)
    }
  },
  {
    title: "WebSocket: a volatile event is delivered when the connection is free",
    run: async (given) => {
      const io = await connection(given)
      await io.join()
      assert.equal(await io.engine.send('42["volatile","now"]'), undefined)
      await io.expect('2["told","now"]')
    }
  },
  {
    title: "broadcasts during an upgrade arrive once and in order",
    run: async (given) => {
      const nsp = `/room-${given.unique}`
      const speaker = await connection(given)
      await speaker.join(nsp)
      const opened = await polling(given.server.endpoint)
      await joined(opened, nsp)
      const heard: Array<string> = []
      const hear = (packets: ReadonlyArray<string>) => heard.push(...packets.filter((packet) => packet !== "6"))
      const speak = async (from: number, to: number) => {
        for (let i = from; i < to; i++) await speaker.send(`2${nsp},["all",${i}]`)
        for (let i = from; i < to; i++) await speaker.expect(`2${nsp},["told",${i}]`)
      }
      await speak(0, 20)
      hear((await opened.poll()).text.split(separator))
      const ws = await Ws.open(given.server.endpoint, { EIO: "4", transport: "websocket", sid: opened.sid })
      given.cleanup(() => ws.cut())
      await speak(20, 40)
      ws.send("2probe")
      assert.equal(await ws.next(), "3probe")
      hear((await opened.poll()).text.split(separator))
      await speak(40, 60)
      ws.send("5")
      await speak(60, 80)
      while (heard.length < 80) heard.push(String(await ws.next()))
      assert.deepEqual(
        heard,
        Array.from({ length: 80 }, (_, i) => `42${nsp},["told",${i}]`)
      )
    }
  }
]

const limits: ReadonlyArray<Case<SocketServer>> = [
  {
    title: "a WebSocket message over the limit: closed with 1009, disconnected with a transport error",
    run: async (given) => {
      const io = await connection(given)
      const sid = await io.join()
      await io.send(`2["message","${"x".repeat(1_000)}"]`)
      assert.match(await io.closed(), /1009/)
      assert.equal((await given.server.disconnectOf(sid)).reason, "transport error")
    }
  },
  {
    title: "an attachment over the limit: closed with 1009, disconnected with a transport error",
    run: async (given) => {
      const io = await connection(given)
      const sid = await io.join()
      await io.send('51-["message",{"_placeholder":true,"num":0}]', Buffer.alloc(1_001))
      assert.match(await io.closed(), /1009/)
      assert.equal((await given.server.disconnectOf(sid)).reason, "transport error")
    }
  },
  {
    title: "each packet may be as large as the limit, though together they are larger",
    run: async (given) => {
      const io = await connection(given)
      await io.join()
      const text = "x".repeat(980)
      for (let i = 0; i < 5; i++) await io.send(`2["message","${text}"]`)
      for (let i = 0; i < 5; i++) await io.expect(`2["message-back","${text}"]`)
    }
  }
]

const paths: ReadonlyArray<Case<SocketServer>> = [
  {
    title: "the path with trailing slash is ours, without it and beside it the host's",
    run: async (given) => {
      const io = await connection(given)
      await io.join()
      await io.quiet()
      const query = { EIO: "4", transport: "polling" }
      for (const path of ["/socket.io", "/socket.iox/", "/"]) {
        assert.equal((await ask(given.server.endpoint, { path, query })).status, 404)
      }
      assert.equal((await ask(given.server.endpoint, { path: "/other" })).text, "other")
    }
  },
  {
    title: "an unknown sid, transport and version are refused by the engine below",
    run: async ({ server }) => {
      const sid = await ask(server.endpoint, { query: { EIO: "4", transport: "polling", sid: "nobody" } })
      assert.deepEqual([sid.status, JSON.parse(sid.text)], [400, { code: 1, message: "Session ID unknown" }])
      const version = await ask(server.endpoint, { query: { transport: "polling" } })
      assert.deepEqual(JSON.parse(version.text), { code: 5, message: "Unsupported protocol version" })
    }
  }
]

/** Suites about what lies between Socket.IO and the wire. */
export const transportSuites = [
  socketSuite("Socket.IO and its transport", calm, cases),
  socketSuite("Socket.IO limits: maxHttpBufferSize 1000", { ...calm, maxHttpBufferSize: 1_000 }, limits),
  socketSuite("Socket.IO beside another application", { ...calm, beside: true }, paths)
]
