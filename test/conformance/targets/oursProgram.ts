/** The program of `SocketServer` in Target.ts, in our Effect API. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { PathInput } from "../../../src/contract/NamespacePath.ts"
import { type Broadcast, ErrorSink, Middleware, Namespace, type Socket, SocketServer } from "../../../src/index.ts"
import type { Ledger } from "../raw/Wait.ts"

const untypedAnswer = Namespace.untyped("/").clientEvent("message")!

/** An answer of several arguments. */
class Answer {
  readonly args: ReadonlyArray<unknown>
  constructor(args: ReadonlyArray<unknown>) {
    this.args = args
  }
}

/**
 * A namespace without a contract whose handlers may answer with several arguments: an untyped answer is one value, as in
 * `emitWithAck`, but the wire allows more and the suites ask for them.
 */
const spreading = <const P extends PathInput>(path: P) => {
  const namespace = Namespace.untyped(path)
  const event = {
    ...untypedAnswer,
    codec: {
      ...untypedAnswer.codec,
      encodeAck: (value: unknown) =>
        value instanceof Answer ? Exit.succeed(value.args) : untypedAnswer.codec.encodeAck(value as never)
    }
  } as unknown as typeof untypedAnswer
  return {
    ...namespace,
    clientEvent: (name: unknown) => (namespace.clientEvent(name as string) === undefined ? undefined : event)
  } as unknown as typeof namespace
}

type Untyped = ReturnType<typeof spreading<string>>

const answer = (...args: ReadonlyArray<unknown>): Answer => new Answer(args)

/** What a client asked for, whatever it sent. */
const texts = (value: unknown): ReadonlyArray<string> => (Array.isArray(value) ? value.map(String) : [])

const byText = (values: ReadonlyArray<unknown>): ReadonlyArray<unknown> => [...values].sort()

const program = Effect.fnUntraced(function* (socket: Socket<Untyped>, disconnects: Disconnects) {
  const nsp = yield* SocketServer.handle(spreading(/^.*$/), socket.name)
  const server: Broadcast<Untyped> = nsp as unknown as Broadcast<Untyped>
  yield* socket.onDisconnect(({ reason }) =>
    Effect.sync(() => disconnects.note(socket.id, { reason, at: performance.now() }))
  )
  yield* socket.emit("auth", socket.auth)
  yield* socket.on("message", (...args) => socket.emit("message-back", ...args))
  yield* socket.on("message-with-ack", (...args) => Effect.succeed(answer(...args)))
  yield* socket.on("burst", (n) =>
    Effect.forEach(Array.from({ length: Number(n) }), (_, i) => socket.emit("burst", i), { discard: true })
  )
  yield* socket.on("volatile", (value) => Effect.as(socket.volatile.emit("told", value), answer()))
  yield* socket.on("join", (room) => Effect.as(socket.join(String(room)), answer()))
  yield* socket.on("leave", (room) => Effect.as(socket.leave(String(room)), answer()))
  yield* socket.on("to", (rooms, except, value) =>
    Effect.as(socket.to(texts(rooms)).except(texts(except)).emit("told", value), answer())
  )
  yield* socket.on("all", (value) => Effect.as(server.emit("told", value), answer()))
  yield* socket.on("ask", (peer, timeout, value) =>
    Effect.gen(function* () {
      const other = yield* nsp.socket(String(peer))
      if (Option.isNone(other)) return answer("failed")
      const asked = timeout === 0 ? other.value : other.value.timeout(Number(timeout))
      return answer("answer", yield* asked.emitWithAck("question", value))
    }).pipe(Effect.catch(() => Effect.succeed(answer("failed"))))
  )
  yield* socket.on("ask-all", (timeout, value) =>
    Effect.suspend(() => {
      const replies: Array<unknown> = []
      const asked = timeout === 0 ? server : server.timeout(Number(timeout))
      return asked.emitWithAck("question", value).pipe(
        Stream.runForEach((reply) => Effect.sync(() => replies.push(reply.value))),
        Effect.match({
          onSuccess: () => answer("answers", byText(replies)),
          onFailure: () => answer("failed", byText(replies))
        })
      )
    })
  )
  yield* socket.on("count", () => Effect.map(nsp.sockets, (sockets) => answer(sockets.length)))
  yield* socket.on("whoami", () => Effect.succeed(answer(socket.id)))
  yield* socket.on("leave-me", (close) => socket.disconnect(close === true))
  yield* socket.on("kick", (room, close) =>
    Effect.as(server.in(String(room)).disconnectSockets(close === true), answer()).pipe(Effect.orDie)
  )
  yield* socket.on("join-room-of", (room, into) =>
    Effect.as(server.in(String(room)).socketsJoin(String(into)), answer()).pipe(Effect.orDie)
  )
  yield* socket.on("double-ack", () => Effect.succeed(answer(1)))
  yield* socket.on("fail", () => Effect.die(new Error("handler failed")))
})

type Disconnects = Ledger<{ readonly reason: string; readonly at: number }>

const guard = Middleware.make(({ namespace, auth }) => {
  if (namespace.startsWith("/slow-")) return Effect.sleep(100)
  if (!namespace.startsWith("/guarded-")) return Effect.void
  const token = typeof auth === "object" && auth !== null && "token" in auth ? auth.token : undefined
  return token === "secret" ? Effect.void : Effect.fail({ message: "not allowed", data: { code: 42 } })
})

const broken = Middleware.make(() => Effect.andThen(Effect.sleep(1), Effect.die(new Error("broken middleware"))))

/** All namespaces of the program; `disconnects` hears of every socket that goes. */
export const namespaces = (disconnects: Disconnects) => {
  const connection = (socket: Socket<Untyped>) => program(socket, disconnects)
  return Layer.mergeAll(
    SocketServer.namespace(spreading("/") as Untyped, connection),
    SocketServer.namespace(spreading("/custom") as Untyped, connection),
    SocketServer.namespace(spreading("/throwing") as Untyped, connection).pipe(Layer.provide(broken)),
    SocketServer.namespace(spreading(/^\/(?:room|guarded|slow)-.+$/) as unknown as Untyped, connection).pipe(
      Layer.provide(guard)
    )
    // What the cases provoke is not news.
  ).pipe(Layer.provide(Layer.succeed(ErrorSink.ErrorSink, () => Effect.void)))
}
