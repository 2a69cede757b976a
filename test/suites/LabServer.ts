/** The server's side of the lab: what its handlers do, and what happened to it, for the suites to look at. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as ErrorSink from "../../src/socket/ErrorSink.ts"
import * as Middleware from "../../src/socket/Middleware.ts"
import type { Socket } from "../../src/socket/Socket.ts"
import * as SocketServer from "../../src/socket/SocketServer.ts"
import { Lab, RoomClosed, Unauthorized } from "./Lab.ts"

/** Who the middleware says the client is. */
export class CurrentUser extends Context.Service<CurrentUser, { readonly name: string }>()("test/CurrentUser") {}

/** Lets in whoever is not called "mallory"; slowly if the name begins with "slow". */
export class Authenticate extends Middleware.Service<Authenticate>()("test/Authenticate", {
  provides: CurrentUser,
  failure: Unauthorized
}) {}

/** What happened on the server. */
export interface LabLog {
  readonly sockets: Array<Socket<typeof Lab>>
  /** Names as provided by the middleware, in order of connection. */
  readonly users: Array<string>
  readonly notes: Array<string>
  readonly nothings: Array<string>
  /** "disconnecting:reason" and "disconnect:reason". */
  readonly departures: Array<string>
  /** Rooms of a socket while it was about to leave. */
  readonly roomsAtDeparture: Array<ReadonlyArray<string>>
  readonly answers: Array<string>
  readonly reports: Array<ErrorSink.HandlerReport>
  /** What `turn` did: "start 1", "end 1" … */
  readonly turns: Array<string>
  /** Handlers that were interrupted. */
  interrupted: number
}

export const emptyLog = (): LabLog => ({
  sockets: [],
  users: [],
  notes: [],
  nothings: [],
  departures: [],
  roomsAtDeparture: [],
  answers: [],
  reports: [],
  turns: [],
  interrupted: 0
})

const setUp = (log: LabLog) =>
  Effect.fnUntraced(function* (socket: Socket<typeof Lab>) {
    const user = yield* CurrentUser
    log.sockets.push(socket)
    log.users.push(user.name)
    yield* socket.setData({ user: user.name })
    yield* socket.join("lobby")
    yield* socket.on("nothing", (...args) => Effect.sync(() => log.nothings.push(String(args.length))))
    yield* socket.on("note", (text) => Effect.sync(() => log.notes.push(text)))
    yield* socket.on("many", (text, number, flag, nothing, list) =>
      Effect.succeed(text.length + number + (flag ? 1 : 0) + (nothing === null ? 1 : 0) + list.length)
    )
    yield* socket.on("rest", (...texts) => Effect.succeed(texts))
    yield* socket.on("text", (text) => Effect.succeed(`${text}!`))
    yield* socket.on("bytes", (bytes) => Effect.succeed(Uint8Array.from(bytes, (byte) => 255 - byte)))
    yield* socket.on("deep", (deep) => Effect.succeed({ name: deep.name, parts: deep.parts.toReversed() }))
    yield* socket.on(
      "join",
      Effect.fnUntraced(function* (room) {
        if (room === "closed") return yield* new RoomClosed({ room })
        yield* socket.join(room)
        return [...socket.rooms].filter((name) => name !== socket.id)
      })
    )
    yield* socket.on("leave", (room) =>
      Effect.map(socket.leave(room), () => [...socket.rooms].filter((name) => name !== socket.id))
    )
    yield* socket.on("say", (room, text) => Effect.as(socket.to(room).emit("said", user.name, text), 1))
    yield* socket.on("shout", (except, text) =>
      Effect.as(socket.broadcast.except(except).emit("said", user.name, text), 1)
    )
    yield* socket.on("poll", (question) =>
      socket
        .to("lobby")
        .timeout("1 second")
        .emitWithAck("question", question)
        .pipe(
          Stream.map(({ value }) => value),
          Stream.catchTag("PartialResult", (partial) => Stream.succeed(`${partial.missing} missing`)),
          Stream.runCollect,
          Effect.map((answers) => answers.toSorted()),
          Effect.orDie
        )
    )
    yield* socket.on("crash", () => Effect.die(new Error("the handler of crash")))
    yield* socket.on("never", () => Effect.onInterrupt(Effect.never, () => Effect.sync(() => log.interrupted++)))
    yield* socket.on(
      "turn",
      Effect.fnUntraced(function* (number) {
        log.turns.push(`start ${number}`)
        yield* Effect.sleep("10 millis")
        log.turns.push(`end ${number}`)
        return number
      })
    )
    yield* socket.on("askMe", (question) =>
      socket
        .timeout("1 second")
        .emitWithAck("question", question)
        .pipe(
          Effect.catch((error) => Effect.succeed(error._tag)),
          Effect.tap((answer) => Effect.sync(() => log.answers.push(answer)))
        )
    )
    yield* socket.on("leaveMe", (close) => socket.disconnect(close))
    yield* socket.onDisconnecting(({ reason }) =>
      Effect.sync(() => {
        log.departures.push(`disconnecting:${reason}`)
        log.roomsAtDeparture.push([...socket.rooms].filter((room) => room !== socket.id))
      })
    )
    yield* socket.onDisconnect(({ reason }) => Effect.sync(() => log.departures.push(`disconnect:${reason}`)))
    yield* socket.emit("welcome", user.name)
  })

/** The namespace with its middleware. */
export const layer = (log: LabLog) =>
  SocketServer.namespace(Lab, setUp(log)).pipe(
    Layer.provide(
      Middleware.layer(
        Authenticate,
        Effect.fnUntraced(function* ({ auth }) {
          const { user } = auth as { readonly user: string }
          if (user.startsWith("slow")) yield* Effect.sleep("200 millis")
          if (user === "mallory") return yield* new Unauthorized({ why: "I know you" })
          if (user === "broken") return yield* Effect.die(new Error("the middleware is broken"))
          return { name: user }
        })
      )
    ),
    Layer.provide(Layer.succeed(ErrorSink.ErrorSink, (report) => Effect.sync(() => void log.reports.push(report))))
  )
