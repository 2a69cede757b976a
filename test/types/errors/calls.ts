/** The contract and the call sites of the error fixtures, typed as server and client type theirs. */
import { Event, Namespace } from "effect-socketio/contract"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

export class RoomClosed extends Schema.TaggedError<RoomClosed>()("RoomClosed", { room: Schema.String }) {}

export const Chat = Namespace.make("/chat", {
  fromClient: {
    message: Event.make({ args: [Schema.String], ack: Schema.Struct({ id: Schema.Finite }), error: RoomClosed }),
    typing: Event.make({ args: [Schema.Boolean] }),
    upload: Event.make({ args: [Schema.String, Schema.Uint8Array] })
  }
})

interface Client<N extends Namespace.Any> {
  emit<K extends Namespace.EventName<Namespace.FromClient<N>>>(
    event: K,
    ...args: Event.Args<Namespace.FromClient<N>[K]>
  ): void
}

interface Server<N extends Namespace.Any> {
  on<K extends Namespace.EventName<Namespace.FromClient<N>>, R>(
    event: K,
    handler: (
      ...args: Event.Args<Namespace.FromClient<N>[K]>
    ) => Effect.Effect<Event.Ack<Namespace.FromClient<N>[K]>, Event.Error<Namespace.FromClient<N>[K]>, R>
  ): void
}

export declare const client: Client<typeof Chat>
export declare const server: Server<typeof Chat>
