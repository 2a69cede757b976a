/** Call sites of the plain client, as programs of Socket.IO write them. Compiled by `npm run check`. */
import { expectTypeOf, test } from "vitest"
import defaultIo, {
  connect,
  type DecorateAcknowledgements,
  type DisconnectDescription,
  type ExtendedError,
  io,
  Manager,
  type ManagerOptions,
  Socket,
  type SocketOf,
  type SocketOptions
} from "../../src/facade/client.ts"
import * as Schema from "effect/Schema"
import { type AckFault, Event, Namespace } from "../../src/contract/index.ts"
import type { Anything } from "../../src/facade/client/TypedEvents.ts"
import { msgpack } from "../../src/protocol/MsgpackCodec.ts"
import * as officialParser from "socket.io-parser"
import * as officialMsgpack from "socket.io-msgpack-parser"

interface ServerToClientEvents {
  noArgs: () => void
  basic: (a: number, b: string) => void
  ask: (question: string, answer: (yes: boolean) => void) => void
}

interface ClientToServerEvents {
  hello: () => void
  save: (id: number, text: string) => void
  load: (id: number, callback: (text: string) => void) => void
  both: (callback: (a: string, b: number) => void) => void
  optional: (a?: string) => void
  only: (callback: () => void) => void
}

const options = { autoConnect: false } as const
const socket: Socket<ServerToClientEvents, ClientToServerEvents> = io("http://127.0.0.1:1", options)

test("without types everything goes", () => {
  const untyped = io(options)
  expectTypeOf(untyped).toEqualTypeOf<Socket>()
  expectTypeOf(connect).toEqualTypeOf(io)
  expectTypeOf(defaultIo).toEqualTypeOf(io)
  untyped.on("random", (a, b, c) => {
    expectTypeOf(a).toBeAny()
    expectTypeOf(b).toBeAny()
    expectTypeOf(c).toBeAny()
  })
  untyped.emit("random", 1, "2", [3])
  untyped.send("anything", 1)
  expectTypeOf(untyped.emitWithAck("random", 1)).resolves.toBeAny()
  expectTypeOf(untyped.timeout(1).emitWithAck("random")).resolves.toBeAny()
  untyped.timeout(1).emit("random", (error: Error) => void error)
})

test("what the socket itself tells", () => {
  for (const each of [socket, io(options)]) {
    each.on("connect", () => {})
    each.on("connect_error", (error) => {
      expectTypeOf(error).toEqualTypeOf<ExtendedError>()
      expectTypeOf(error.data).toBeAny()
    })
    each.on("disconnect", (reason, description) => {
      expectTypeOf(reason).toExtend<string>()
      expectTypeOf<"io server disconnect">().toExtend<typeof reason>()
      // @ts-expect-error: no such reason
      if (reason === "io sevrer disconnect") return
      expectTypeOf(description).toEqualTypeOf<DisconnectDescription | undefined>()
    })
  }
  expectTypeOf(socket.id).toEqualTypeOf<string | undefined>()
  expectTypeOf(socket.connected).toEqualTypeOf<boolean>()
  expectTypeOf(socket.recovered).toEqualTypeOf<boolean>()
  expectTypeOf(socket.io).toEqualTypeOf<Manager<ServerToClientEvents, ClientToServerEvents>>()
})

test("listeners know the arguments of their event", () => {
  socket.on("noArgs", (...args) => expectTypeOf(args).toEqualTypeOf<[]>())
  for (const add of ["on", "once"] as const) {
    socket[add]("basic", (a, b) => {
      expectTypeOf(a).toEqualTypeOf<number>()
      expectTypeOf(b).toEqualTypeOf<string>()
    })
  }
  socket.on("ask", async (question, answer) => {
    expectTypeOf(question).toEqualTypeOf<string>()
    answer(true)
    // @ts-expect-error: not what the server waits for
    answer("yes")
  })
  const listener = (a: number): void => void a
  socket.off("basic", listener)
  expectTypeOf(socket.listeners("basic")).toEqualTypeOf<Array<(a: number, b: string) => void>>()
  // @ts-expect-error: no such event
  socket.on("random", () => {})
  // @ts-expect-error: an event of the other direction
  socket.on("save", () => {})
  // @ts-expect-error: another type of argument
  socket.on("basic", (a: string) => void a)
})

test("emit knows the arguments of its event", () => {
  expectTypeOf(socket.emit("hello")).toEqualTypeOf(socket)
  socket.emit("save", 1, "a").emit("optional").emit("optional", "a")
  socket.volatile.compress(true).emit("save", 1, "a")
  socket.emit("load", 1, (text) => expectTypeOf(text).toEqualTypeOf<string>())
  socket.emit("both", (a, b) => {
    expectTypeOf(a).toEqualTypeOf<string>()
    expectTypeOf(b).toEqualTypeOf<number>()
  })
  // @ts-expect-error: too few arguments
  socket.emit("save", 1)
  // @ts-expect-error: too many arguments
  socket.emit("hello", 1)
  // @ts-expect-error: another type of argument
  socket.emit("save", "1", "a")
  // @ts-expect-error: no such event
  socket.emit("random")
  // @ts-expect-error: the answer is missing
  socket.emit("load", 1)
})

test("behind timeout() an answer gets an error first", () => {
  expectTypeOf(socket.timeout(10)).toEqualTypeOf<
    Socket<ServerToClientEvents, DecorateAcknowledgements<ClientToServerEvents>>
  >()
  socket.timeout(10).emit("load", 1, (error, text) => {
    expectTypeOf(error).toEqualTypeOf<Error>()
    expectTypeOf(text).toEqualTypeOf<string>()
  })
  socket.timeout(10).emit("only", (error) => expectTypeOf(error).toEqualTypeOf<Error>())
  socket.timeout(10).emit("save", 1, "a")
})

test("emitWithAck gives the first argument of the answer", () => {
  expectTypeOf(socket.emitWithAck("load", 1)).resolves.toEqualTypeOf<string>()
  expectTypeOf(socket.emitWithAck("both")).resolves.toEqualTypeOf<string>()
  // @ts-expect-error: the argument is missing
  socket.emitWithAck("load")
  // @ts-expect-error: another type of argument
  socket.emitWithAck("load", "1")
})

test("one map for both directions", () => {
  const same: Socket<ServerToClientEvents> = io(options)
  same.on("basic", (a) => expectTypeOf(a).toEqualTypeOf<number>())
  same.emit("basic", 1, "a")
})

test("managers", () => {
  const manager = new Manager("http://127.0.0.1:1", options)
  expectTypeOf(manager.socket("/")).toEqualTypeOf<Socket>()
  const typed = new Manager<ServerToClientEvents, ClientToServerEvents>(options)
  expectTypeOf(typed.socket("/")).toEqualTypeOf(socket)
  expectTypeOf(new Socket(typed, "/")).toEqualTypeOf(socket)
  expectTypeOf(manager.reconnection()).toEqualTypeOf<boolean>()
  expectTypeOf(manager.reconnection(true)).toEqualTypeOf(manager)
  expectTypeOf(manager.reconnectionDelay()).toEqualTypeOf<number>()
  expectTypeOf(manager.timeout()).toEqualTypeOf<number | boolean>()
  manager.on("reconnect", (attempt) => expectTypeOf(attempt).toEqualTypeOf<number>())
  manager.on("reconnect_error", (error) => expectTypeOf(error).toEqualTypeOf<Error>())
  manager.on("close", (reason) => expectTypeOf(reason).toEqualTypeOf<string>())
  manager.open((error) => expectTypeOf(error).toEqualTypeOf<Error | undefined>())
  // @ts-expect-error: no such event
  manager.on("random", () => {})
  manager.engine?.on("upgrade", (transport) => expectTypeOf(transport.name).toEqualTypeOf<string>())
  manager.engine?.on("packet", ({ data, type }) => {
    expectTypeOf(type).toEqualTypeOf<"open" | "close" | "ping" | "pong" | "message" | "upgrade" | "noop">()
    expectTypeOf<Anything>().toEqualTypeOf(data)
  })
})

test("options", () => {
  const all: Partial<ManagerOptions & SocketOptions> = {
    auth: { token: "abc" },
    query: { a: 1 },
    transports: ["websocket"],
    extraHeaders: { "x-a": "b" },
    reconnectionAttempts: 3,
    timeout: false,
    ackTimeout: 100,
    retries: 3,
    autoUnref: true,
    ca: "certificate",
    agent: false,
    path: "/my-path/"
  }
  io("http://127.0.0.1:1", { ...all, ...options })
  io({ auth: (callback) => callback({ token: "abc" }), ...options })
  for (const parser of [msgpack, officialParser, officialMsgpack]) io({ parser, ...options })
  // @ts-expect-error: no such option
  io({ reconect: true, ...options })
  // @ts-expect-error: no parser
  io({ parser: {}, ...options })
  socket.auth = { token: "other" }
  socket.io.opts.query = { b: "2" }
  socket.io.opts.transports = ["polling", "websocket"]
})

class RoomClosed extends Schema.TaggedError<RoomClosed>()("RoomClosed", { room: Schema.String }) {}

const Chat = Namespace.make("/chat", {
  fromClient: {
    message: Event.make({ args: [Schema.String], ack: Schema.Struct({ id: Schema.Finite }), error: RoomClosed }),
    count: Event.make({ args: [Schema.String, Schema.Finite], ack: Schema.Finite }),
    typing: Event.make({ args: [Schema.Boolean] })
  },
  fromServer: {
    message: Event.make({ args: [Schema.String, Schema.String] }),
    vote: Event.make({ args: [Schema.String], ack: Schema.Boolean })
  }
})

test("the events of a contract", () => {
  const chat = io<typeof Chat>("http://127.0.0.1:1/chat", options)
  expectTypeOf(chat).toEqualTypeOf<SocketOf<typeof Chat>>()
  const annotated: SocketOf<typeof Chat> = io("/chat", options)
  annotated.emit("typing", true)
  chat.on("message", (from, text) => {
    expectTypeOf(from).toEqualTypeOf<string>()
    expectTypeOf(text).toEqualTypeOf<string>()
  })
  chat.on("vote", (question, callback) => {
    expectTypeOf(question).toEqualTypeOf<string>()
    expectTypeOf(callback).toEqualTypeOf<(answer: boolean) => void>()
  })
  expectTypeOf(chat.emitWithAck("count", "a", 1)).resolves.toEqualTypeOf<number>()
  chat.timeout(10).emit("message", "hi", (error, answer) => {
    expectTypeOf(error).toEqualTypeOf<Error>()
    if (answer.ok) expectTypeOf(answer.value.id).toEqualTypeOf<number>()
    else expectTypeOf(answer.error).toEqualTypeOf<RoomClosed | AckFault>()
  })
  // @ts-expect-error: another type of argument
  chat.emit("typing", "yes")
  // @ts-expect-error: no such event
  chat.emit("random")
  // @ts-expect-error: an event of the other direction
  chat.on("typing", () => {})
})
