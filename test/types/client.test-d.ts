/** Call sites of the client as programs write them: nothing is annotated, everything is inferred. Compiled by `npm run check`. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import { expectTypeOf, test } from "vitest"
import * as SocketClient from "../../src/client/index.ts"
import { Event, Namespace } from "../../src/contract/index.ts"

class RoomClosed extends Schema.TaggedError<RoomClosed>()("RoomClosed", { room: Schema.String }) {}
class Unauthorized extends Schema.TaggedError<Unauthorized>()("Unauthorized", {}) {}
class Database extends Context.Service<Database, { readonly name: string }>()("Database") {}

const Chat = Namespace.make("/chat", {
  auth: Schema.Struct({ token: Schema.String }),
  refusal: Unauthorized,
  fromClient: {
    message: Event.make({ args: [Schema.String], ack: Schema.Struct({ id: Schema.Finite }), error: RoomClosed }),
    plain: Event.make({ args: [], ack: Schema.Finite }),
    typing: Event.make({ args: [Schema.Boolean] })
  },
  fromServer: {
    message: Event.make({ args: [Schema.String, Schema.String] }),
    vote: Event.make({ args: [Schema.String], ack: Schema.Boolean }),
    guarded: Event.make({ args: [Schema.Finite], ack: Schema.Finite, error: RoomClosed })
  }
})
const Org = Namespace.make("/org/:id", { params: { id: Schema.FiniteFromString }, fromServer: {} })
const Any = Namespace.untyped(/^\/dynamic-\d+$/)

declare const chat: SocketClient.Socket<typeof Chat>
const url = "http://localhost"
const auth = { token: "t" }

test("connect", () => {
  const connected = SocketClient.connect(Chat, { url, auth })
  expectTypeOf(connected).toEqualTypeOf<
    Effect.Effect<
      SocketClient.Socket<typeof Chat>,
      SocketClient.ConnectRefused<Unauthorized> | SocketClient.ConnectFailed | SocketClient.InvalidPayload,
      Scope.Scope
    >
  >()

  const byEffect = SocketClient.connect(Chat, {
    url,
    auth: Database.use((database) =>
      database.name === "" ? Effect.fail("empty" as const) : Effect.succeed({ token: "t" })
    )
  })
  expectTypeOf<Effect.Error<typeof byEffect>>().toEqualTypeOf<
    SocketClient.ConnectRefused<Unauthorized> | SocketClient.ConnectFailed | SocketClient.InvalidPayload | "empty"
  >()
  expectTypeOf<Effect.Services<typeof byEffect>>().toEqualTypeOf<Database | Scope.Scope>()

  const byFunction = SocketClient.connect(Chat, { url, auth: () => ({ token: "t" }) })
  expectTypeOf<Effect.Services<typeof byFunction>>().toEqualTypeOf<Scope.Scope>()

  // @ts-expect-error the contract declares an auth
  SocketClient.connect(Chat, { url })
  // @ts-expect-error of another type
  SocketClient.connect(Chat, { url, auth: { token: 1 } })
  // @ts-expect-error which is no option
  SocketClient.connect(Chat, { url, auth, tokens: "t" })

  SocketClient.connect(Org, { url, params: { id: 7 } })
  // @ts-expect-error the name needs its parameters
  SocketClient.connect(Org, { url })
  // @ts-expect-error of their type
  SocketClient.connect(Org, { url, params: { id: "seven" } })

  SocketClient.connect(Any, { url, name: "/dynamic-1" })
  // @ts-expect-error a pattern is no name
  SocketClient.connect(Any, { url })

  SocketClient.connect("/legacy", { url, auth: { anything: 1 } })
  const untypedAuth = SocketClient.connect("/legacy", { url, auth: Effect.fail("no") })
  expectTypeOf<Extract<Effect.Error<typeof untypedAuth>, string>>().toEqualTypeOf<string>()
})

test("emit and emitWithAck", () => {
  expectTypeOf(chat.emit("typing", true)).toEqualTypeOf<
    Effect.Effect<SocketClient.EmitOutcome, SocketClient.InvalidPayload>
  >()
  expectTypeOf(chat.timeout("5 seconds").emitWithAck("message", "hi")).toEqualTypeOf<
    Effect.Effect<
      { readonly id: number },
      | RoomClosed
      | SocketClient.AckTimeout
      | SocketClient.Disconnected
      | SocketClient.HandlerFailed
      | SocketClient.InvalidPayload
    >
  >()
  expectTypeOf<Effect.Success<ReturnType<typeof chat.emitWithAck<"plain">>>>().toEqualTypeOf<number>()
  // @ts-expect-error no such event
  void chat.emit("mesage", "hi")
  // @ts-expect-error a wrong argument
  void chat.emit("typing", "yes")
  // @ts-expect-error a missing argument
  void chat.volatile.emit("typing")
  // @ts-expect-error an event of the server
  void chat.emit("vote", "x")
  // @ts-expect-error an event without an answer
  void chat.emitWithAck("typing", true)
})

test("on", () => {
  const registered = chat.on(
    "message",
    Effect.fnUntraced(function* (from, text) {
      expectTypeOf(from).toEqualTypeOf<string>()
      expectTypeOf(text).toEqualTypeOf<string>()
      yield* Database
      yield* chat.emit("typing", true)
    })
  )
  expectTypeOf(registered).toEqualTypeOf<Effect.Effect<void, never, Database | Scope.Scope>>()
  void chat.on("vote", (topic) => Effect.succeed(topic === "pizza"))
  void chat.on("guarded", (n) => (n > 1 ? Effect.succeed(n) : Effect.fail(new RoomClosed({ room: "r" }))))
  // @ts-expect-error the answer is a boolean
  void chat.on("vote", () => Effect.succeed("yes"))
  // @ts-expect-error an error that is not declared
  void chat.on("vote", () => Effect.fail(new RoomClosed({ room: "r" })))
  // @ts-expect-error an event of the client
  void chat.on("typing", () => Effect.void)
})

test("streams", () => {
  expectTypeOf(SocketClient.events(chat, "message")).toEqualTypeOf<Stream.Stream<[string, string]>>()
  expectTypeOf(SocketClient.states(chat)).toEqualTypeOf<Stream.Stream<SocketClient.ConnectionState>>()
  // @ts-expect-error no such event
  SocketClient.events(chat, "typing")
})

test("without a contract everything goes", () => {
  const untyped = null as unknown as SocketClient.Socket<SocketClient.Untyped>
  void untyped.emit("anything", 1, { two: [new Uint8Array()] })
  expectTypeOf(untyped.emitWithAck("anything")).toEqualTypeOf<
    Effect.Effect<
      unknown,
      SocketClient.AckTimeout | SocketClient.Disconnected | SocketClient.HandlerFailed | SocketClient.InvalidPayload
    >
  >()
  void untyped.on("whatever", (a, b) => Effect.succeed([a, b]))
  expectTypeOf(SocketClient.events(untyped, "x")).toEqualTypeOf<Stream.Stream<Array<unknown>>>()
})

test("a layer", () => {
  class ChatClient extends Context.Service<ChatClient, SocketClient.Socket<typeof Chat>>()("ChatClient") {}
  const layer = SocketClient.layer(ChatClient, Chat, {
    url,
    auth: Effect.map(Database, ({ name }) => ({ token: name }))
  })
  expectTypeOf(layer).toMatchTypeOf<
    Layer.Layer<
      ChatClient,
      SocketClient.ConnectRefused<Unauthorized> | SocketClient.ConnectFailed | SocketClient.InvalidPayload,
      Database
    >
  >()
})
