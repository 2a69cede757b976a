/**
 * Types of events, under Socket.IO's names: maps from event names to the functions that listen to them.
 *
 * An acknowledgement is a function as the last argument. Where a timeout was set it is called with an error first, and where many clients
 * are asked with an array of answers: the `Decorate…` types say how a map of events looks then.
 */
import { EventEmitter } from "node:events"

/** What TypeScript does not check: the arguments of events without a map, as in Socket.IO. It is the type that `JSON.parse` gives. */
export type Unchecked = ReturnType<typeof JSON.parse>

/** A map of events: each name with the function that listens to it. */
export interface EventsMap {
  [event: string]: Unchecked
}

/** The map of those who declare none: every event with any arguments. */
export interface DefaultEventsMap {
  [event: string]: (...args: Array<Unchecked>) => void
}

type Listener = (...args: Array<Unchecked>) => Unchecked

type IsUnchecked<T> = 0 extends 1 & T ? true : false

type IfUnchecked<T, Then, Else> = IsUnchecked<T> extends true ? Then : Else

/** The last element of a tuple. */
export type Last<T extends ReadonlyArray<unknown>> = T extends readonly [infer Only]
  ? Only
  : T extends readonly [unknown, ...infer Tail]
    ? Last<Tail>
    : T extends ReadonlyArray<infer Element>
      ? Element
      : never

/** A tuple without its last element. */
export type AllButLast<T extends Array<Unchecked>> = T extends [...infer Head, infer _Last] ? Head : Array<Unchecked>

/** The first element that is no error: what is left of the arguments of an acknowledgement. */
export type FirstNonErrorTuple<T extends Array<unknown>> = T[0] extends Error ? T[1] : T[0]

/** The answer that an acknowledgement of this type carries. */
export type FirstNonErrorArg<T> = T extends (...args: infer Params) => Unchecked
  ? FirstNonErrorTuple<Params>
  : Unchecked

/** The names of the events of a map. */
export type EventNames<Map extends EventsMap> = keyof Map & (string | symbol)

/** The arguments of an event. */
export type EventParams<Map extends EventsMap, Ev extends EventNames<Map>> = Parameters<Map[Ev]>

type LooseParameters<T> = T extends (...args: infer P) => Unchecked ? P : never

/** The names of the events that end with an acknowledgement. */
export type EventNamesWithAck<Map extends EventsMap, K extends EventNames<Map> = EventNames<Map>> = IfUnchecked<
  Last<Parameters<Map[K]>> | Map[K],
  K,
  K extends (Parameters<Map[K]> extends Array<never> ? never : Last<Parameters<Map[K]>> extends Listener ? K : never)
    ? K
    : never
>

/** The names of the events that do not. */
export type EventNamesWithoutAck<Map extends EventsMap, K extends EventNames<Map> = EventNames<Map>> = IfUnchecked<
  Last<Parameters<Map[K]>> | Map[K],
  K,
  K extends (Parameters<Map[K]> extends Array<never> ? K : never)
    ? K
    : K extends (Last<Parameters<Map[K]>> extends Listener ? never : K)
      ? K
      : never
>

/** The names of the events whose acknowledgement begins with an error: those that had a timeout. */
export type EventNamesWithError<
  Map extends EventsMap,
  K extends EventNamesWithAck<Map> = EventNamesWithAck<Map>
> = IfUnchecked<
  Last<Parameters<Map[K]>> | Map[K],
  K,
  K extends (LooseParameters<Last<Parameters<Map[K]>>>[0] extends Error ? K : never) ? K : never
>

/** A map without the events that have an acknowledgement. */
export type RemoveAcknowledgements<E extends EventsMap> = {
  [K in EventNamesWithoutAck<E>]: E[K]
}

/** The names that can be listened to: the program's own, and those that Socket.IO emits. */
export type ReservedOrUserEventNames<Reserved extends EventsMap, User extends EventsMap> =
  | EventNames<Reserved>
  | EventNames<User>

type FallbackToUntypedListener<T> = [T] extends [never] ? (...args: Array<Unchecked>) => void | Promise<void> : T

/** The listener of such an event. */
export type ReservedOrUserListener<
  Reserved extends EventsMap,
  User extends EventsMap,
  Ev extends ReservedOrUserEventNames<Reserved, User>
> = FallbackToUntypedListener<
  Ev extends EventNames<Reserved> ? Reserved[Ev] : Ev extends EventNames<User> ? User[Ev] : never
>

type PrependTimeoutError<T extends Array<Unchecked>> = {
  [K in keyof T]: T[K] extends (...args: infer Params) => infer Result
    ? Params[0] extends Error
      ? T[K]
      : (err: Error, ...args: Params) => Result
    : T[K]
}

/** Every element as an array of itself. */
export type MultiplyArray<T extends Array<unknown>> = {
  [K in keyof T]: Array<T[K]>
}

type FirstLabelled<T extends Array<Unchecked>> = T extends [Unchecked, ...infer R]
  ? T extends [...infer H, ...R]
    ? H
    : never
  : never

type ExpectMultipleResponses<T extends Array<Unchecked>> = {
  [K in keyof T]: T[K] extends (...args: infer Params) => infer Result
    ? Params extends [Error]
      ? (err: Error) => Result
      : Params extends [Error, ...infer Rest]
        ? (err: Error, ...args: FirstLabelled<MultiplyArray<Rest>>) => Result
        : Params extends []
          ? () => Result
          : (...args: FirstLabelled<MultiplyArray<Params>>) => Result
    : T[K]
}

/** The events of a map as they are with a timeout: their acknowledgement has the error first. */
export type DecorateAcknowledgements<E> = {
  [K in keyof E]: E[K] extends (...args: infer Params) => infer Result
    ? (...args: PrependTimeoutError<Params>) => Result
    : E[K]
}

/** The events of a map as they are for many receivers: their acknowledgement gets an array of answers. */
export type DecorateAcknowledgementsWithMultipleResponses<E> = {
  [K in keyof E]: E[K] extends (...args: infer Params) => infer Result
    ? (...args: ExpectMultipleResponses<Params>) => Result
    : E[K]
}

/** Both of it. */
export type DecorateAcknowledgementsWithTimeoutAndMultipleResponses<E> = {
  [K in keyof E]: E[K] extends (...args: infer Params) => infer Result
    ? (...args: ExpectMultipleResponses<PrependTimeoutError<Params>>) => Result
    : E[K]
}

/** What sends events. */
export interface TypedEventBroadcaster<EmitEvents extends EventsMap> {
  emit<Ev extends EventNames<EmitEvents>>(ev: Ev, ...args: EventParams<EmitEvents, Ev>): boolean
}

/**
 * An `EventEmitter` of Node whose events are typed. Listeners that throw or reject are caught: `captureRejections` is always on, and what
 * they failed with reaches the method `Symbol.for("nodejs.rejection")`, which a program may replace as Node's documentation shows.
 */
export abstract class StrictEventEmitter<
  ListenEvents extends EventsMap,
  EmitEvents extends EventsMap,
  ReservedEvents extends EventsMap = Record<never, never>
>
  extends EventEmitter
  implements TypedEventBroadcaster<EmitEvents>
{
  constructor() {
    super({ captureRejections: true })
  }

  override on<Ev extends ReservedOrUserEventNames<ReservedEvents, ListenEvents>>(
    ev: Ev,
    listener: ReservedOrUserListener<ReservedEvents, ListenEvents, Ev>
  ): this {
    return super.on(ev, listener)
  }

  override once<Ev extends ReservedOrUserEventNames<ReservedEvents, ListenEvents>>(
    ev: Ev,
    listener: ReservedOrUserListener<ReservedEvents, ListenEvents, Ev>
  ): this {
    return super.once(ev, listener)
  }

  override emit<Ev extends EventNames<EmitEvents>>(ev: Ev, ...args: EventParams<EmitEvents, Ev>): boolean {
    return super.emit(ev, ...args)
  }

  override listeners<Ev extends ReservedOrUserEventNames<ReservedEvents, ListenEvents>>(
    event: Ev
  ): Array<ReservedOrUserListener<ReservedEvents, ListenEvents, Ev>> {
    return super.listeners(event) as Array<ReservedOrUserListener<ReservedEvents, ListenEvents, Ev>>
  }
}
