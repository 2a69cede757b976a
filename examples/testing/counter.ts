/** The program under test: a counter that everybody shares. */
import { Event, Namespace, SocketServer } from "effect-socketio"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

export const Counter = Namespace.make("/counter", {
  fromClient: { add: Event.make({ args: [Schema.Int], ack: Schema.Int }) },
  fromServer: { total: Event.make({ args: [Schema.Int] }) }
})

/** A counter of its own for each server. `onGone` is told why clients go. */
export const counterLive = (onGone: (reason: string) => void = () => {}) => {
  let total = 0
  return SocketServer.namespace(
    Counter,
    Effect.fnUntraced(function* (socket) {
      yield* socket.on(
        "add",
        Effect.fnUntraced(function* (amount) {
          total += amount
          yield* socket.broadcast.emit("total", total)
          return total
        })
      )
      yield* socket.onDisconnect(({ reason }) => Effect.sync(() => onGone(reason)))
      yield* socket.emit("total", total)
    })
  )
}
