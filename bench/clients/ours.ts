/** Our client, Effect API, with a contract. */
import { Event, Namespace } from "effect-socketio/contract"
import * as SocketClient from "effect-socketio/client"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import { message } from "../Message.ts"
import type { Start } from "../servers/Server.ts"
import { concurrency } from "./events.ts"

const Message = Schema.Struct({ user: Schema.String, text: Schema.String, at: Schema.Finite })

const Peer = Namespace.make("/", {
  fromClient: {
    ask: Event.make({ args: [Message], ack: Schema.Struct({ id: Schema.Finite }) }),
    asked: Event.make({ args: [] }),
    synced: Event.make({ args: [] })
  },
  fromServer: {
    news: Event.make({ args: [Message] }),
    sync: Event.make({ args: [] }),
    ask: Event.make({ args: [Schema.Finite] })
  }
})

const connect = Effect.fnUntraced(function* (port: number) {
  const socket = yield* SocketClient.connect(Peer, {
    url: `http://127.0.0.1:${port}`,
    transports: ["websocket"],
    wait: false
  })
  let received = 0
  yield* socket.on("news", (news) =>
    Effect.sync(() => {
      received += news.at > 0 ? 1 : 0
    })
  )
  yield* socket.on("sync", () => {
    if (received === 0) return Effect.die(new Error("nothing was received"))
    received = 0
    return socket.emit("synced")
  })
  const ask = socket.emitWithAck("ask", message).pipe(
    Effect.filterOrFail(
      ({ id }) => id === 1,
      () => new Error("another answer than expected")
    ),
    Effect.orDie
  )
  yield* socket.on("ask", (count) =>
    Effect.forEach(Array.from({ length: count }), () => ask, { concurrency, discard: true }).pipe(
      Effect.andThen(socket.emit("asked"))
    )
  )
})

/** Connects it; it ends with the process. */
export const start: Start = async ({ port }) => {
  await Effect.runPromise(connect(port!).pipe(Scope.provide(Scope.makeUnsafe())))
  return { port: port! }
}
