/** The chat server: what happens in the namespace, whatever carries it. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { SocketServer } from "effect-socketio"
import { Chat, NotInRoom } from "./contract.ts"

export const ChatLive = SocketServer.namespace(
  Chat,
  Effect.fnUntraced(function* (socket) {
    const chat = yield* SocketServer.handle(Chat)
    const { username } = socket.auth
    const joined = new Set<string>()
    yield* socket.setData({ username })

    // Several windows of one person are one member.
    const membersOf = (room: string) =>
      Effect.map(Effect.orDie(chat.in(room).fetchSockets()), (sockets) => [
        ...new Set(sockets.flatMap((other) => other.data?.username ?? []))
      ])
    const announce = Effect.fnUntraced(function* (room: string) {
      const members = yield* membersOf(room)
      yield* chat.in(room).emit("presence", { room, members })
      return members
    })

    yield* socket.on(
      "join",
      Effect.fnUntraced(function* (room) {
        joined.add(room)
        yield* socket.join(room)
        return { members: yield* announce(room) }
      })
    )

    yield* socket.on(
      "leave",
      Effect.fnUntraced(function* (room) {
        if (!joined.delete(room)) return
        yield* socket.leave(room)
        yield* announce(room)
      })
    )

    yield* socket.on(
      "message",
      Effect.fnUntraced(function* (room, text) {
        if (!joined.has(room)) return yield* new NotInRoom({ room })
        const id = crypto.randomUUID()
        const at = yield* Clock.currentTimeMillis
        yield* chat.in(room).emit("message", { id, room, from: username, text, at })
        return { id }
      })
    )

    yield* socket.on("typing", (room) =>
      joined.has(room) ? socket.to(room).emit("typing", { room, from: username }) : Effect.void
    )

    // Runs however the socket ends: by the user, by a lost connection, by a shutdown.
    yield* Effect.addFinalizer(() => Effect.forEach(joined, announce, { discard: true }))
  })
)
