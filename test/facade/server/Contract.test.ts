import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { expectTypeOf } from "vitest"
import { Event, Namespace } from "../../../src/contract/index.ts"
import type { Socket } from "../../../src/facade/server.ts"
import { client, collect, next, pair, serve, settle, ways } from "./serve.ts"

class RoomClosed extends Schema.TaggedError<RoomClosed>()("RoomClosed", { room: Schema.String }) {}
class Unauthorized extends Schema.TaggedError<Unauthorized>()("Unauthorized", { retry: Schema.Boolean }) {}

const Chat = Namespace.make("/chat", {
  auth: Schema.Struct({ token: Schema.String }),
  refusal: Unauthorized,
  data: Schema.Struct({ since: Schema.Date }),
  fromClient: {
    plain: Event.make({ args: [Schema.Date] }),
    message: Event.make({ args: [Schema.String], ack: Schema.Struct({ id: Schema.Finite }), error: RoomClosed }),
    when: Event.make({ args: [], ack: Schema.Date })
  },
  fromServer: {
    message: Event.make({ args: [Schema.String, Schema.Date] }),
    vote: Event.make({ args: [Schema.String], ack: Schema.Boolean })
  },
  betweenServers: { reload: Event.make({ args: [] }) }
})

const options = { ...ways.websocket, auth: { token: "t" } }

describe("a namespace of a contract", () => {
  it("has its types, and decoded arguments and answers", async () => {
    const running = await serve()
    const chat = running.io.of(Chat)
    const seen: Array<unknown> = []
    chat.on("connection", (socket) => {
      socket.on("plain", (at) => {
        expectTypeOf(at).toEqualTypeOf<Date>()
        seen.push(at)
      })
      socket.on("message", (text, answer) => {
        expectTypeOf(text).toEqualTypeOf<string>()
        answer(text === "no" ? new RoomClosed({ room: "r" }) : { id: 1 })
      })
      socket.on("when", (answer) => answer(new Date(0)))
    })
    const [socket, peer] = await pair(running, options, "/chat")
    peer.emit("plain", "1970-01-01T00:00:00.000Z")
    assert.deepStrictEqual(await peer.emitWithAck("message", "hi"), { ok: true, value: { id: 1 } })
    assert.deepStrictEqual(await peer.emitWithAck("message", "no"), {
      ok: false,
      error: { _tag: "RoomClosed", room: "r" }
    })
    assert.strictEqual(await peer.emitWithAck("when"), "1970-01-01T00:00:00.000Z")
    assert.deepStrictEqual(seen, [new Date(0)])
    assert.strictEqual(running.io.of(Chat), chat)

    peer.on("vote", (_what: string, reply: (yes: unknown) => void) => reply(true))
    const heard = next(peer, "message")
    chat.emit("message", "all", new Date(0))
    assert.deepStrictEqual(await heard, ["all", "1970-01-01T00:00:00.000Z"])
    assert.deepStrictEqual(await chat.timeout(5000).emitWithAck("vote", "pizza?"), [true])
    const typed = [...chat.sockets.values()][0]!
    assert.strictEqual(typed as unknown, socket)
    expectTypeOf(typed.emitWithAck("vote", "pizza?")).resolves.toEqualTypeOf<boolean>()
    assert.isTrue(await typed.timeout(5000).emitWithAck("vote", "pizza?"))
  })

  it("refuses payloads that do not fit: no listener gets them, the caller and the error listeners are told", async () => {
    const running = await serve()
    const failures = collect(running.io, "listener_error")
    const chat = running.io.of(Chat)
    chat.on("connection", (socket) => {
      socket.on("plain", () => assert.fail("got it"))
      socket.on("message", () => assert.fail("got it"))
    })
    const [socket, peer] = await pair(running, options, "/chat")
    const errors = collect(socket, "error")
    peer.emit("plain", 1)
    peer.emit("unknown")
    peer.emit("__proto__")
    const answer = (await peer.emitWithAck("message", 1)) as { ok: boolean; error: { _tag: string } }
    assert.deepStrictEqual([answer.ok, answer.error._tag], [false, "InvalidPayload"])
    assert.deepStrictEqual(
      errors.map(([error]) => (error as { event: string }).event),
      ["plain", "unknown", "__proto__", "message"]
    )
    assert.lengthOf(failures, 4)
    assert.isTrue(socket.connected)
  })

  it("throws what the program itself gets wrong", async () => {
    const running = await serve()
    const chat = running.io.of(Chat)
    const [socket] = (await pair(running, options, "/chat")) as readonly [Socket, unknown]
    assert.throws(() => socket.emit("nothing"), `"nothing" is no event of "/chat"`)
    assert.throws(() => socket.emit("message", 1, 2), /string/i)
    assert.throws(
      () => (chat as { emit(name: string, ...args: Array<unknown>): unknown }).emit("message", 1),
      /string/i
    )
    assert.throws(() => running.io.of(Namespace.make("/chat", {})), /without this contract/)
  })

  it("answers of clients that do not fit are errors", async () => {
    const running = await serve()
    const chat = running.io.of(Chat)
    const [socket, peer] = await pair(running, options, "/chat")
    peer.on("vote", (_what: string, reply: (yes: unknown) => void) => reply("maybe"))
    for (const answer of [socket.emitWithAck("vote", "?"), socket.timeout(5000).emitWithAck("vote", "?")]) {
      assert.strictEqual((await answer.catch((error: { _tag: string }) => error))._tag, "InvalidPayload")
    }
    const error: { _tag: string; responses: unknown } = await chat
      .timeout(5000)
      .emitWithAck("vote", "?")
      .catch((error) => error)
    assert.deepStrictEqual([error._tag, error.responses], ["InvalidPayload", []])
    const failure = next(running.io, "listener_error")
    socket.emit("vote", "?", () => assert.fail("called"))
    assert.strictEqual(((await failure)[0] as { _tag: string })._tag, "InvalidPayload")
    await settle(...(await pair(running)))
  })

  it("auth and refusals are the contract's", async () => {
    const running = await serve()
    running.io.of(Chat).use((socket, pass) => {
      pass(socket.handshake.auth["token"] === "t" ? undefined : new Unauthorized({ retry: true }))
    })
    const refusal = async (auth: object): Promise<unknown> => {
      const [error] = await next(client(`${running.url}/chat`, { ...ways.websocket, auth }), "connect_error")
      const { message, data } = error as Error & { data?: unknown }
      return [message, data]
    }
    assert.deepStrictEqual(await refusal({ token: 1 }), ["invalid auth", undefined])
    assert.deepStrictEqual(await refusal({ token: "other" }), ["Unauthorized", { _tag: "Unauthorized", retry: true }])
    await pair(running, options, "/chat")
  })

  it("dynamic ones too", async () => {
    const Room = Namespace.make("/room/:id", { fromClient: { hi: Event.make({ args: [Schema.String] }) } })
    const running = await serve()
    const names: Array<string> = []
    running.io.of(Room, (socket) => {
      names.push(socket.nsp.name)
      socket.on("hi", (text) => names.push(text))
    })
    const peer = client(`${running.url}/room/7`, ways.websocket)
    await next(peer, "connect")
    peer.emit("hi", "there")
    peer.emit("hi", 1)
    const socket = [...running.io.of("/room/7").sockets.values()][0]!
    await next(socket, "error").catch(() => assert.fail("no error"))
    assert.deepStrictEqual(names, ["/room/7", "there"])
  })
})
