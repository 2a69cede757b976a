/** The chat example, run as a process and used by the official client. */
import { assert, describe, it } from "@effect/vitest"
import { io, type Socket } from "socket.io-client"
import * as Chat from "./ChatProcess.ts"

const opened: Array<Socket> = []

const connect = (url: string, auth: object, transports = ["polling", "websocket"]): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = io(`${url}/chat`, { auth, transports, forceNew: true, reconnection: false })
    opened.push(socket)
    socket.once("connect", () => resolve(socket))
    socket.once("connect_error", (error) => {
      socket.close()
      reject(error)
    })
  })

const next = (socket: Socket, event: string): Promise<unknown> =>
  new Promise((resolve) => socket.once(event, (value: unknown) => resolve(value)))

const withChat = async (use: (chat: Chat.Chat) => Promise<void>): Promise<void> => {
  const chat = await Chat.start(await Chat.freePort())
  try {
    await use(chat)
  } finally {
    for (const socket of opened.splice(0)) socket.close()
    await chat.stop("SIGKILL")
  }
}

describe("the chat example, with the official client", () => {
  it("serves its page, its script and its style, and nothing else", () =>
    withChat(async ({ url }) => {
      const page = await fetch(`${url}/`)
      assert.strictEqual(page.headers.get("content-type"), "text/html; charset=utf-8")
      assert.include(await page.text(), "/app.js")
      assert.strictEqual((await fetch(`${url}/app.js`)).headers.get("content-type"), "text/javascript; charset=utf-8")
      assert.strictEqual((await fetch(`${url}/style.css`)).status, 200)
      assert.strictEqual((await fetch(`${url}/contract.ts`)).status, 404)
      assert.strictEqual((await fetch(`${url}/`, { method: "POST" })).status, 405)
    }))

  it("names of 1 to 24 characters enter, others are told why", () =>
    withChat(async ({ url }) => {
      for (const auth of [{}, { username: "" }, { username: "x".repeat(25) }, { username: 7 }]) {
        const refused = await connect(url, auth).then(
          () => "entered",
          (error: Error) => error.message
        )
        assert.strictEqual(refused, "invalid username")
      }
      assert.isTrue((await connect(url, { username: "x".repeat(24) })).connected)
    }))

  for (const transports of [["polling"], ["websocket"], ["polling", "websocket"]]) {
    it(`join, message, typing and presence over ${transports.join(" then ")}`, () =>
      withChat(async ({ url }) => {
        const ann = await connect(url, { username: "ann" }, transports)
        const bob = await connect(url, { username: "bob" }, transports)
        assert.deepStrictEqual(await ann.emitWithAck("join", "tea"), { members: ["ann"] })
        const presence = next(ann, "presence")
        assert.deepStrictEqual(await bob.emitWithAck("join", "tea"), { members: ["ann", "bob"] })
        assert.deepStrictEqual(await presence, { room: "tea", members: ["ann", "bob"] })

        const heard = next(bob, "message")
        const before = Date.now()
        const { ok, value } = await ann.emitWithAck("message", "tea", "hello")
        const message = (await heard) as Readonly<Record<string, unknown>> & { readonly at: number }
        assert.isTrue(ok)
        assert.deepInclude(message, { id: value.id, room: "tea", from: "ann", text: "hello" })
        assert.isTrue(message.at >= before && message.at <= Date.now())

        const typing = next(ann, "typing")
        bob.emit("typing", "tea")
        assert.deepStrictEqual(await typing, { room: "tea", from: "bob" })

        const left = next(ann, "presence")
        bob.disconnect()
        assert.deepStrictEqual(await left, { room: "tea", members: ["ann"] })
      }))
  }

  it("a member that is lost, and one that leaves the room, are no longer present", () =>
    withChat(async ({ url }) => {
      const ann = await connect(url, { username: "ann" })
      const bob = await connect(url, { username: "bob" })
      const eve = await connect(url, { username: "eve" }, ["websocket"])
      for (const socket of [ann, bob, eve]) await socket.emitWithAck("join", "tea")
      const lost = next(ann, "presence")
      eve.io.engine.close()
      assert.deepStrictEqual(await lost, { room: "tea", members: ["ann", "bob"] })
      const left = next(ann, "presence")
      bob.emit("leave", "tea")
      assert.deepStrictEqual(await left, { room: "tea", members: ["ann"] })
    }))

  it("speaking in a room that one has not joined fails with NotInRoom, and texts are of 1 to 2000 characters", () =>
    withChat(async ({ url }) => {
      const ann = await connect(url, { username: "ann" })
      assert.deepStrictEqual(await ann.emitWithAck("message", "tea", "hello"), {
        ok: false,
        error: { _tag: "NotInRoom", room: "tea" }
      })
      await ann.emitWithAck("join", "tea")
      assert.isTrue((await ann.emitWithAck("message", "tea", "x".repeat(2000))).ok)
      for (const text of ["", "x".repeat(2001), 7]) {
        const { ok, error } = await ann.emitWithAck("message", "tea", text)
        assert.isFalse(ok)
        assert.deepInclude(error, { _tag: "InvalidPayload", event: "message", path: [1] })
      }
    }))

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it(`${signal} ends it at once, clients learn it, no stack trace`, () =>
      withChat(async (chat) => {
        const ann = await connect(chat.url, { username: "ann" }, ["websocket"])
        const gone = next(ann, "disconnect")
        await chat.stop(signal)
        // Not "io server disconnect": clients are to come back when the server does.
        assert.strictEqual(await gone, "transport close")
        assert.notMatch(chat.output(), /\bat .*:\d+:\d+|Error/)
      }))
  }

  it("a port that is taken is told in one line", () =>
    withChat(async ({ url }) => {
      const failed = await Chat.start(Number(new URL(url).port)).then(
        () => "",
        (error: Error) => error.message
      )
      assert.include(failed, "EADDRINUSE")
      assert.notMatch(failed, /\bat .*:\d+:\d+/)
    }))
})
