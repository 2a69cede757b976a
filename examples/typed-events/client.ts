/** The client: the same contract mirrored. What the server handles is emitted here, and the other way round. */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as SocketClient from "effect-socketio/client"
import { Chat } from "./contract.ts"

/** Connects, says something, and tells what came of it. */
export const talk = Effect.fnUntraced(function* (url: string, name: string) {
  const chat = yield* SocketClient.connect(Chat, { url, auth: { token: `${name}:secret` } })
  yield* chat.on("vote", (question) => Effect.as(Console.log(`${name} votes: ${question}`), true))

  const { id } = yield* chat.timeout("5 seconds").emitWithAck("message", "lobby", "hello")
  const size = yield* chat.emitWithAck("picture", new Uint8Array(1000))

  // The declared error is an ordinary one of the Effect: it can be caught by its tag, with its fields.
  const closed = yield* chat.emitWithAck("message", "attic", "anybody?").pipe(
    Effect.as("sent"),
    Effect.catchTag("RoomClosed", ({ room }) => Effect.succeed(`${room} is closed`))
  )
  return { id, size, closed }
})

/** What happens to a client that the middleware does not know. */
export const intrude = Effect.fnUntraced(function* (url: string) {
  return yield* SocketClient.connect(Chat, { url, auth: { token: "mallory" } }).pipe(
    Effect.as("let in"),
    Effect.catchTag("ConnectRefused", ({ message, refusal }) => Effect.succeed(refusal?.hint ?? message))
  )
})

/** Listens to the lobby for so many messages. */
export const listen = Effect.fnUntraced(function* (url: string, name: string) {
  const chat = yield* SocketClient.connect(Chat, { url, auth: { token: `${name}:secret` } })
  return SocketClient.events(chat, "message")
})
