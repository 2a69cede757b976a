/**
 * The events of a contract as the maps of this client, for programs that share a contract with their server but do without Effect.
 *
 * Only types: nothing is decoded or validated here, so arguments and answers are as they travel (docs/wire-acks.md). For schemas that only
 * describe, that is what they describe; a `Date` travels as text, and such schemas are for the Effect client.
 */
import type { AckFault, Event, Namespace } from "../../contract/index.ts"
import type { Socket } from "./Socket.ts"

/** The answer of an event that declares errors. */
export type AckEnvelope<Ack, Error> =
  | { readonly ok: true; readonly value: Ack }
  | { readonly ok: false; readonly error: Error | AckFault }

/** What the callback of an event gets. */
type Answer<E extends Event.Any> = [Event.Error<E>] extends [never]
  ? Event.Ack<E>
  : AckEnvelope<Event.Ack<E>, Event.Error<E>>

/** The listener of an event, whose last argument answers it where an ack or an error is declared. */
type Listener<E extends Event.Any> =
  Event.HasAck<E> extends true
    ? (...args: [...Event.Args<E>, callback: (answer: Answer<E>) => void]) => void
    : (...args: Event.Args<E>) => void

/** The map of a contract's events. */
export type EventsOf<Events extends Namespace.AnyEvents> = { [Name in keyof Events]: Listener<Events[Name]> }

/** The socket of a contract's namespace: `const chat: SocketOf<typeof Chat> = io("/chat")`. */
export type SocketOf<N extends Namespace.Any> = Socket<
  EventsOf<Namespace.FromServer<N>>,
  EventsOf<Namespace.FromClient<N>>
>
