/** The server: arguments, answers and errors of every handler are those of the contract, without a type annotation. */
import { Middleware, SocketServer } from "effect-socketio"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { Chat, RoomClosed, Token, Unauthorized } from "./contract.ts"

/** Who a client is: known to the handlers, because the middleware provides it. */
export class CurrentUser extends Context.Service<CurrentUser, { readonly name: string }>()("example/CurrentUser") {}

class Authenticate extends Middleware.Service<Authenticate>()("example/Authenticate", {
  provides: CurrentUser,
  failure: Unauthorized,
  auth: Token
}) {}

const AuthenticateLive = Middleware.layer(
  Authenticate,
  Effect.fnUntraced(function* ({ auth }) {
    const [name, secret] = auth.token.split(":")
    if (name === undefined || secret !== "secret") return yield* new Unauthorized({ hint: "name:secret" })
    return { name }
  })
)

let messages = 0

export const ChatLive = SocketServer.namespace(
  Chat,
  Effect.fnUntraced(function* (socket) {
    const user = yield* CurrentUser
    yield* socket.join("lobby")

    yield* socket.on(
      "message",
      Effect.fnUntraced(function* (room, text) {
        if (!socket.rooms.has(room)) return yield* new RoomClosed({ room })
        yield* socket.to(room).emit("message", user.name, text)
        return { id: ++messages }
      })
    )

    yield* socket.on("picture", (bytes) => Effect.succeed(bytes.byteLength))

    yield* socket.events("typing").pipe(
      Stream.debounce("300 millis"),
      Stream.runForEach(([typing]) =>
        typing
          ? socket
              .to("lobby")
              .timeout("2 seconds")
              .emitWithAck("vote", `wait for ${user.name}?`)
              .pipe(
                Stream.runCollect,
                Effect.flatMap((votes) => Effect.logDebug(`${votes.length} voted`)),
                Effect.ignore
              )
          : Effect.void
      ),
      Effect.forkScoped
    )
  })
).pipe(Layer.provide(AuthenticateLive))
