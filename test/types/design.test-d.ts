/** The example of the design page, literally: a contract, its server and its client, without an annotation. It is compiled by the check. */
import { Event, InMemoryAdapter, Middleware, Namespace, SocketServer } from "effect-socketio"
import * as SocketClient from "effect-socketio/client"
import { NodeEngine } from "effect-socketio/node"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"

export class RoomClosed extends Schema.TaggedError<RoomClosed>()("RoomClosed", { room: Schema.String }) {}
export class Unauthorized extends Schema.TaggedError<Unauthorized>()("Unauthorized", {}) {}

export const Chat = Namespace.make("/chat", {
  auth: Schema.Struct({ token: Schema.String }),
  refusal: Unauthorized,
  data: Schema.Struct({ username: Schema.String }),
  fromClient: {
    message: Event.make({ args: [Schema.String], ack: Schema.Struct({ id: Schema.Finite }), error: RoomClosed }),
    typing: Event.make({ args: [Schema.Boolean] })
  },
  fromServer: {
    message: Event.make({ args: [Schema.String, Schema.String] }),
    vote: Event.make({ args: [Schema.String], ack: Schema.Boolean })
  },
  betweenServers: { reload: Event.make({ args: [] }) }
})

class CurrentUser extends Context.Service<CurrentUser, { readonly name: string }>()("app/CurrentUser") {}
class Authenticate extends Middleware.Service<Authenticate>()("app/Authenticate", {
  provides: CurrentUser,
  failure: Unauthorized
}) {
  static readonly layer = Middleware.layer(this, () => Effect.succeed({ name: "x" }))
}
const showTyping = (typing: readonly [boolean]) => Console.log(typing[0])

const ChatLive = SocketServer.namespace(
  Chat,
  Effect.fnUntraced(function* (socket) {
    const user = yield* CurrentUser
    yield* socket.join("lobby")
    yield* socket.on(
      "message",
      Effect.fnUntraced(function* (text) {
        yield* socket.to("lobby").emit("message", user.name, text)
        return { id: 1 }
      })
    )
    yield* socket.events("typing").pipe(Stream.debounce("300 millis"), Stream.runForEach(showTyping), Effect.forkScoped)
    const votes = yield* socket.to("lobby").timeout("2 seconds").emitWithAck("vote", "pizza?").pipe(Stream.runCollect)
    yield* Console.log(votes)
  })
).pipe(Layer.provide(Authenticate.layer))

const AdminLive = SocketServer.namespace(Namespace.untyped("/admin"), () => Effect.void)

const Main = SocketServer.serve(Layer.mergeAll(ChatLive, AdminLive), { pingInterval: "25 seconds" }).pipe(
  Layer.provide(InMemoryAdapter.layer),
  Layer.provide(NodeEngine.layer({ port: 3000 }))
)
export const run = () => Layer.launch(Main).pipe(NodeRuntime.runMain)

const token = "t"
export const client = Effect.gen(function* () {
  const chat = yield* SocketClient.connect(Chat, { url: "http://localhost:3000", auth: { token } })
  const { id } = yield* chat.timeout("5 seconds").emitWithAck("message", "hi")
  yield* Console.log(id)
  yield* SocketClient.events(chat, "message").pipe(Stream.take(3), Stream.runForEach(Console.log))
  yield* SocketClient.states(chat).pipe(Stream.runForEach(Console.log))
})
