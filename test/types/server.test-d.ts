/**
 * The types of the server, checked by `npm run check`: what a user gets without writing an annotation.
 */
import {
  type Adapter,
  type AckTimeout,
  type Disconnected,
  Event,
  type HandlerFailed,
  type InvalidPayload,
  Middleware,
  Namespace,
  type PartialResult,
  type Reply,
  SocketServer
} from "effect-socketio"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { expectTypeOf } from "vitest"
import type { EngineError } from "../../src/engine/EngineError.ts"
import type { EngineHost } from "../../src/engine/EngineHost.ts"

class RoomClosed extends Schema.TaggedError<RoomClosed>()("RoomClosed", { room: Schema.String }) {}
class Unauthorized extends Schema.TaggedError<Unauthorized>()("Unauthorized", {}) {}
class Database extends Context.Service<Database, { find(id: number): Effect.Effect<string> }>()("types/Database") {}
class CurrentUser extends Context.Service<CurrentUser, { readonly name: string }>()("types/CurrentUser") {}

const Chat = Namespace.make("/chat", {
  auth: Schema.Struct({ token: Schema.String }),
  refusal: Unauthorized,
  data: Schema.Struct({ username: Schema.String }),
  fromClient: {
    message: Event.make({ args: [Schema.String], ack: Schema.Struct({ id: Schema.Finite }), error: RoomClosed }),
    typing: Event.make({ args: [Schema.Boolean] }),
    rename: Event.make({ args: [Schema.String], error: RoomClosed }),
    optional: Event.make({ args: [Schema.String, Schema.optionalKey(Schema.Finite)] })
  },
  fromServer: {
    message: Event.make({ args: [Schema.String, Schema.String] }),
    vote: Event.make({ args: [Schema.String], ack: Schema.Boolean }),
    work: Event.make({ args: [], ack: Schema.Finite, error: RoomClosed })
  },
  betweenServers: { reload: Event.make({ args: [] }), load: Event.make({ args: [], ack: Schema.Finite }) }
})

class Authenticate extends Middleware.Service<Authenticate>()("types/Authenticate", {
  provides: CurrentUser,
  failure: Unauthorized,
  auth: Schema.Struct({ token: Schema.String })
}) {
  static readonly layer = Middleware.layer(
    this,
    Effect.fnUntraced(function* (socket) {
      expectTypeOf(socket.auth).toEqualTypeOf<{ readonly token: string }>()
      const database = yield* Database
      if (socket.auth.token === "") return yield* new Unauthorized()
      return { name: yield* database.find(1) }
    })
  )
}

// Handlers infer everything; what they need is required of the layer, without their scope.
const ChatLive = SocketServer.namespace(
  Chat,
  Effect.fnUntraced(function* (socket) {
    expectTypeOf(socket.auth).toEqualTypeOf<{ readonly token: string }>()
    expectTypeOf(socket.data).toEqualTypeOf<{ readonly username: string } | undefined>()
    expectTypeOf(socket.params).toEqualTypeOf<{}>()
    const user = yield* CurrentUser
    yield* socket.on(
      "message",
      Effect.fnUntraced(function* (text) {
        expectTypeOf(text).toEqualTypeOf<string>()
        if (text === "") return yield* new RoomClosed({ room: "a" })
        yield* socket.to("lobby").emit("message", user.name, text)
        return { id: 1 }
      })
    )
    yield* socket.on("typing", (typing) => {
      expectTypeOf(typing).toEqualTypeOf<boolean>()
      return Effect.addFinalizer(() => Effect.void)
    })
    yield* socket.on("rename", () => Effect.succeed("anything goes where no ack is declared"))
    yield* socket.on("optional", (text, n) => {
      expectTypeOf(text).toEqualTypeOf<string>()
      expectTypeOf(n).toEqualTypeOf<number | undefined>()
      return Database.use((database) => database.find(n ?? 0))
    })
    expectTypeOf(socket.events("typing")).toEqualTypeOf<Stream.Stream<[boolean]>>()
    yield* socket.events("typing").pipe(Stream.runDrain, Effect.forkScoped)
    const vote = socket.timeout("2 seconds").emitWithAck("vote", "pizza?")
    expectTypeOf(vote).toEqualTypeOf<
      Effect.Effect<boolean, AckTimeout | Disconnected | HandlerFailed | InvalidPayload>
    >()
    expectTypeOf(socket.emitWithAck("work")).toEqualTypeOf<
      Effect.Effect<number, RoomClosed | AckTimeout | Disconnected | HandlerFailed | InvalidPayload>
    >()
    const votes = socket.to("lobby").timeout("2 seconds").emitWithAck("vote", "pizza?")
    expectTypeOf(votes).toEqualTypeOf<
      Stream.Stream<Reply<boolean>, PartialResult | InvalidPayload | Adapter.AdapterError>
    >()
    expectTypeOf(socket.disconnected).toEqualTypeOf<Effect.Effect<Disconnected>>()
    yield* socket.onDisconnecting(({ reason }) => Effect.log(reason))
  })
)
expectTypeOf(ChatLive).toEqualTypeOf<
  Layer.Layer<
    never,
    Adapter.AdapterError,
    SocketServer.SocketServer | Middleware.PerSocket<CurrentUser> | Middleware.PerSocket<Database>
  >
>()

// A middleware discharges what it provides, an ordinary layer what it builds.
const DatabaseLive = Layer.succeed(Database, { find: () => Effect.succeed("") })
const Provided = ChatLive.pipe(Layer.provide(Authenticate.layer), Layer.provide(DatabaseLive))
expectTypeOf(Provided).toEqualTypeOf<Layer.Layer<never, Adapter.AdapterError, SocketServer.SocketServer>>()

const Main = SocketServer.serve(Provided, { pingInterval: "25 seconds" })
expectTypeOf(Main).toEqualTypeOf<
  Layer.Layer<SocketServer.SocketServer, Adapter.AdapterError | EngineError, Adapter.Adapter | EngineHost>
>()

// What is still missing shows as the plain service.
expectTypeOf(SocketServer.serve(ChatLive)).toEqualTypeOf<
  Layer.Layer<
    SocketServer.SocketServer,
    Adapter.AdapterError | EngineError,
    CurrentUser | Database | Adapter.Adapter | EngineHost
  >
>()

// What a middleware provides is no service for code that has no socket.
const outside = Layer.effectDiscard(CurrentUser.use(Effect.log)).pipe(
  Layer.provide(Authenticate.layer),
  Layer.provide(DatabaseLive)
)
expectTypeOf(outside).toEqualTypeOf<Layer.Layer<never, never, CurrentUser>>()

// Shared handlers.
const Shared = SocketServer.handlers(Chat, {
  message: Effect.fnUntraced(function* (socket, text) {
    expectTypeOf(text).toEqualTypeOf<string>()
    yield* socket.broadcast.emit("message", "someone", text)
    yield* Database.use((database) => database.find(1))
    return { id: 1 }
  }),
  typing: (_socket, typing) => {
    expectTypeOf(typing).toEqualTypeOf<boolean>()
    return CurrentUser.use(Effect.succeed)
  }
})
expectTypeOf(Shared).toEqualTypeOf<
  Layer.Layer<
    never,
    Adapter.AdapterError,
    SocketServer.SocketServer | Middleware.PerSocket<CurrentUser> | Middleware.PerSocket<Database>
  >
>()

// Handles.
const handles = Effect.gen(function* () {
  const chat = yield* SocketServer.handle(Chat)
  yield* chat.to(["a", "b"]).except("c").local.volatile.compress(false).emit("message", "a", "b")
  const [socket] = yield* chat.fetchSockets()
  expectTypeOf(socket!.data).toEqualTypeOf<{ readonly username: string } | undefined>()
  yield* chat.serverSideEmit("reload")
  expectTypeOf(chat.serverSideEmitWithAck({ timeout: "1 second" }, "load")).toEqualTypeOf<
    Stream.Stream<number, Adapter.AdapterError | AckTimeout | Disconnected | HandlerFailed | InvalidPayload>
  >()
  const org = yield* SocketServer.handle(Namespace.make("/org/:id", { params: { id: Schema.FiniteFromString } }), {
    id: 5
  })
  expectTypeOf(org.name).toEqualTypeOf<string>()
  yield* SocketServer.handle(Namespace.untyped(/^\/d-/), "/d-1")
})
expectTypeOf(handles).toEqualTypeOf<Effect.Effect<void, Adapter.AdapterError, SocketServer.SocketServer>>()

// Without a contract.
const Legacy = SocketServer.namespace(
  Namespace.untyped("/legacy"),
  Effect.fnUntraced(function* (socket) {
    yield* socket.on(
      "anything",
      Effect.fnUntraced(function* (...args) {
        expectTypeOf(args).toEqualTypeOf<Array<unknown>>()
        yield* socket.emit("whatever", 1, "2", new Uint8Array())
        return args.length
      })
    )
    expectTypeOf(yield* Effect.orDie(socket.emitWithAck("question"))).toEqualTypeOf<unknown>()
  })
)
expectTypeOf(Legacy).toEqualTypeOf<Layer.Layer<never, Adapter.AdapterError, SocketServer.SocketServer>>()

// The scope of the socket is no requirement, wherever it is used.
SocketServer.namespace(Chat, (socket) => {
  const registered = socket.on("typing", () => Effect.forkScoped(Effect.never))
  expectTypeOf(registered).toEqualTypeOf<Effect.Effect<void>>()
  expectTypeOf<Scope.Scope>().not.toBeNever()
  return registered
})
