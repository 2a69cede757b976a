/**
 * The types of contracts, checked by `npm run check`: what a user gets without writing an annotation.
 */
import { Binary, Event, Namespace } from "effect-socketio/contract"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import { expectTypeOf } from "vitest"

class RoomClosed extends Schema.TaggedError<RoomClosed>()("RoomClosed", { room: Schema.String }) {}
class Unauthorized extends Schema.TaggedError<Unauthorized>()("Unauthorized", {}) {}

const Chat = Namespace.make("/chat", {
  auth: Schema.Struct({ token: Schema.String }),
  refusal: Unauthorized,
  data: Schema.Struct({ username: Schema.String }),
  fromClient: {
    message: Event.make({ args: [Schema.String], ack: Schema.Struct({ id: Schema.Finite }), error: RoomClosed }),
    typing: Event.make({ args: [Schema.Boolean] }),
    rename: Event.make({ args: [Schema.String], error: RoomClosed }),
    upload: Event.make({ args: [Schema.Uint8Array, Binary.ArrayBuffer, Schema.Date], concurrency: 1 }),
    optional: Event.make({ args: [Schema.String, Schema.optionalKey(Schema.Finite)] }),
    rest: Event.make({ args: Schema.TupleWithRest(Schema.Tuple([Schema.String]), [Schema.Finite]) })
  },
  fromServer: {
    message: Event.make({ args: [Schema.String, Schema.String] }),
    vote: Event.make({ args: [Schema.String], ack: Schema.Boolean })
  },
  betweenServers: { reload: Event.make({ args: [] }) }
})
type Chat = typeof Chat
type FromClient = Namespace.FromClient<Chat>
type FromServer = Namespace.FromServer<Chat>

// Arguments are mutable tuples, acks and errors are what was declared.
expectTypeOf<Event.Args<FromClient["message"]>>().toEqualTypeOf<[string]>()
expectTypeOf<Event.Args<FromServer["message"]>>().toEqualTypeOf<[string, string]>()
expectTypeOf<Event.Args<FromClient["upload"]>>().toEqualTypeOf<[Uint8Array<ArrayBufferLike>, ArrayBuffer, Date]>()
expectTypeOf<Event.Args<FromClient["optional"]>>().toEqualTypeOf<[string, number?]>()
expectTypeOf<Event.Args<FromClient["rest"]>>().toEqualTypeOf<[string, ...Array<number>]>()
expectTypeOf<Event.Args<Namespace.BetweenServers<Chat>["reload"]>>().toEqualTypeOf<[]>()
expectTypeOf<Event.Ack<FromClient["message"]>>().toEqualTypeOf<{ readonly id: number }>()
expectTypeOf<Event.Error<FromClient["message"]>>().toEqualTypeOf<RoomClosed>()
expectTypeOf<Event.Ack<FromServer["vote"]>>().toEqualTypeOf<boolean>()

// What is left out is void or never, not any.
expectTypeOf<Event.Ack<FromClient["typing"]>>().toEqualTypeOf<void>()
expectTypeOf<Event.Error<FromClient["typing"]>>().toEqualTypeOf<never>()
expectTypeOf<Event.Error<FromServer["vote"]>>().toEqualTypeOf<never>()
expectTypeOf<Event.Ack<FromClient["rename"]>>().toEqualTypeOf<void>()
expectTypeOf<Event.HasAck<FromClient["message"]>>().toEqualTypeOf<true>()
expectTypeOf<Event.HasAck<FromClient["rename"]>>().toEqualTypeOf<true>()
expectTypeOf<Event.HasAck<FromClient["typing"]>>().toEqualTypeOf<false>()

// The namespace.
expectTypeOf<Namespace.EventName<FromClient>>().toEqualTypeOf<
  "message" | "typing" | "rename" | "upload" | "optional" | "rest"
>()
expectTypeOf<Namespace.Auth<Chat>>().toEqualTypeOf<{ readonly token: string }>()
expectTypeOf<Namespace.HasAuth<Chat>>().toEqualTypeOf<true>()
expectTypeOf<Namespace.Refusal<Chat>>().toEqualTypeOf<Unauthorized>()
expectTypeOf<Namespace.Data<Chat>>().toEqualTypeOf<{ readonly username: string }>()
expectTypeOf<Namespace.Params<Chat>>().toEqualTypeOf<{}>()
expectTypeOf<Namespace.Kind<Chat>>().toEqualTypeOf<"static">()
expectTypeOf<Chat>().toExtend<Namespace.Any>()

const Bare = Namespace.make("/bare", { fromServer: { tick: Event.make({ args: [Schema.Finite] }) } })
type Bare = typeof Bare
expectTypeOf<Namespace.Auth<Bare>>().toEqualTypeOf<unknown>()
expectTypeOf<Namespace.HasAuth<Bare>>().toEqualTypeOf<false>()
expectTypeOf<Namespace.Refusal<Bare>>().toEqualTypeOf<never>()
expectTypeOf<Namespace.Data<Bare>>().toEqualTypeOf<Record<string, unknown>>()
expectTypeOf<Namespace.EventName<Namespace.FromClient<Bare>>>().toEqualTypeOf<never>()
expectTypeOf<Namespace.EventName<Namespace.FromServer<Bare>>>().toEqualTypeOf<"tick">()

// exactOptionalPropertyTypes: undefined is the same as leaving out.
const Explicit = Namespace.make("/explicit", {
  auth: undefined,
  refusal: undefined,
  data: undefined,
  fromClient: { a: Event.make({ args: [], ack: undefined, error: undefined, concurrency: undefined }) }
})
expectTypeOf<Namespace.Auth<typeof Explicit>>().toEqualTypeOf<unknown>()
expectTypeOf<Namespace.Refusal<typeof Explicit>>().toEqualTypeOf<never>()
expectTypeOf<Event.Ack<Namespace.FromClient<typeof Explicit>["a"]>>().toEqualTypeOf<void>()
expectTypeOf<Event.HasAck<Namespace.FromClient<typeof Explicit>["a"]>>().toEqualTypeOf<false>()

// Dynamic namespaces.
const Org = Namespace.make("/org/:id/room/:room", { params: { id: Schema.FiniteFromString } })
expectTypeOf<Namespace.Params<typeof Org>>().toEqualTypeOf<{ readonly id: number; readonly room: string }>()
expectTypeOf<Namespace.Kind<typeof Org>>().toEqualTypeOf<"parameters">()
const Pattern = Namespace.make(/^\/dynamic-(?<n>\d+)$/, {})
expectTypeOf<Namespace.Params<typeof Pattern>>().toEqualTypeOf<Readonly<Record<string, string | undefined>>>()
expectTypeOf<Namespace.Kind<typeof Pattern>>().toEqualTypeOf<"pattern">()
const Decided = Namespace.make((name, auth) => {
  expectTypeOf(name).toEqualTypeOf<string>()
  expectTypeOf(auth).toEqualTypeOf<unknown>()
  return name === "/x"
}, {})
expectTypeOf<Namespace.Kind<typeof Decided>>().toEqualTypeOf<"pattern">()
expectTypeOf<Namespace.Params<typeof Decided>>().toEqualTypeOf<{}>()

// Without a contract.
const Legacy = Namespace.untyped("/legacy")
type Legacy = Namespace.FromClient<typeof Legacy>
expectTypeOf<Namespace.EventName<Legacy>>().toEqualTypeOf<string>()
expectTypeOf<Event.Args<Legacy[string]>>().toEqualTypeOf<Array<unknown>>()
expectTypeOf<Event.Ack<Legacy[string]>>().toEqualTypeOf<unknown>()
expectTypeOf<Event.Error<Legacy[string]>>().toEqualTypeOf<never>()
expectTypeOf<Namespace.Refusal<typeof Legacy>>().toEqualTypeOf<Namespace.UntypedRefusal>()

// No any leaks out of the erased forms either.
expectTypeOf<Event.Args<Event.Any>>().toEqualTypeOf<Array<unknown>>()
expectTypeOf<Event.Ack<Event.Any>>().toEqualTypeOf<unknown>()
expectTypeOf<Event.Error<Event.Any>>().toEqualTypeOf<unknown>()
expectTypeOf<Namespace.Auth<Namespace.Any>>().toEqualTypeOf<unknown>()

// The codec of a declared event has its types.
expectTypeOf(Chat.fromClient.message.codec.decodeArgs([])).toEqualTypeOf<Exit.Exit<[string], Schema.SchemaError>>()
expectTypeOf(Chat.data.decode({})).toEqualTypeOf<Exit.Exit<{ readonly username: string }, Schema.SchemaError>>()

// Call sites as server and client write them: everything is inferred.
declare const on: <M extends Namespace.AnyEvents, K extends Namespace.EventName<M>, R>(
  events: M,
  event: K,
  handler: (...args: Event.Args<M[K]>) => Effect.Effect<Event.Ack<M[K]>, Event.Error<M[K]>, R>
) => Effect.Effect<void, never, R>

declare const emit: <M extends Namespace.AnyEvents, K extends Namespace.EventName<M>>(
  events: M,
  event: K,
  ...args: Event.Args<M[K]>
) => Effect.Effect<Event.Ack<M[K]>, Event.Error<M[K]>>

on(
  Chat.fromClient,
  "message",
  Effect.fnUntraced(function* (text) {
    expectTypeOf(text).toEqualTypeOf<string>()
    if (text === "") return yield* new RoomClosed({ room: "lobby" })
    return { id: 1 }
  })
)
on(Chat.fromClient, "message", (text) => Effect.succeed({ id: text.length }))
on(
  Chat.fromClient,
  "upload",
  Effect.fnUntraced(function* (bytes, buffer, at) {
    expectTypeOf(bytes).toEqualTypeOf<Uint8Array<ArrayBufferLike>>()
    expectTypeOf(buffer).toEqualTypeOf<ArrayBuffer>()
    expectTypeOf(at).toEqualTypeOf<Date>()
    yield* Effect.void
  })
)
on(
  Chat.fromClient,
  "optional",
  Effect.fnUntraced(function* (name, count) {
    expectTypeOf(name).toEqualTypeOf<string>()
    expectTypeOf(count).toEqualTypeOf<number | undefined>()
    yield* Effect.void
  })
)
on(
  Chat.fromClient,
  "rest",
  Effect.fnUntraced(function* (name, ...numbers) {
    expectTypeOf(name).toEqualTypeOf<string>()
    expectTypeOf(numbers).toEqualTypeOf<Array<number>>()
    yield* Effect.void
  })
)
on(
  Namespace.untyped("/any").fromClient,
  "whatever",
  Effect.fnUntraced(function* (...args) {
    expectTypeOf(args).toEqualTypeOf<Array<unknown>>()
    yield* Effect.void
    return args[0]
  })
)

expectTypeOf(emit(Chat.fromClient, "message", "hi")).toEqualTypeOf<Effect.Effect<{ readonly id: number }, RoomClosed>>()
expectTypeOf(emit(Chat.fromClient, "typing", true)).toEqualTypeOf<Effect.Effect<void, never>>()
emit(Chat.fromClient, "optional", "x")
emit(Chat.fromClient, "optional", "x", 1)
emit(Chat.fromClient, "rest", "x", 1, 2, 3)
emit(Legacy.fromClient, "whatever", 1, "two", new Uint8Array())

// The same through a function that is generic in the namespace, as `SocketServer.namespace` is.
declare const namespace: <N extends Namespace.Any, E, R>(
  namespace: N,
  handler: (socket: {
    readonly on: <K extends Namespace.EventName<Namespace.FromClient<N>>, R2>(
      event: K,
      handler: (
        ...args: Event.Args<Namespace.FromClient<N>[K]>
      ) => Effect.Effect<Event.Ack<Namespace.FromClient<N>[K]>, Event.Error<Namespace.FromClient<N>[K]>, R2>
    ) => Effect.Effect<void, never, R2>
    readonly emit: <K extends Namespace.EventName<Namespace.FromServer<N>>>(
      event: K,
      ...args: Event.Args<Namespace.FromServer<N>[K]>
    ) => Effect.Effect<void>
  }) => Effect.Effect<void, E, R>
) => Effect.Effect<void, E, R>

expectTypeOf(
  namespace(
    Chat,
    Effect.fnUntraced(function* (socket) {
      yield* socket.on(
        "message",
        Effect.fnUntraced(function* (text) {
          expectTypeOf(text).toEqualTypeOf<string>()
          yield* socket.emit("message", "somebody", text)
          if (text === "closed") return yield* new RoomClosed({ room: "lobby" })
          return { id: 1 }
        })
      )
    })
  )
).toEqualTypeOf<Effect.Effect<void, never, never>>()

// Schemas that need services, or errors with a reserved tag, are no payloads.
declare class Db {
  readonly db: true
}
declare const Served: Schema.Codec<string, string, Db>
// @ts-expect-error a contract has no services to give to a schema
Event.make({ args: [Served] })
// @ts-expect-error the tag is the one of a fault
Event.make({ args: [], error: Schema.TaggedStruct("HandlerFailed", {}) })
// @ts-expect-error Socket.IO's own event
Namespace.make("/a", { fromClient: { disconnect: Event.make({ args: [] }) } })
// @ts-expect-error no such parameter
Namespace.make("/org/:id", { params: { di: Schema.String } })
// @ts-expect-error a parameter is text on the wire
Namespace.make("/org/:id", { params: { id: Schema.Finite } })
