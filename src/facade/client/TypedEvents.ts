/**
 * The types of listeners and emitted events, as programs of Socket.IO write them: a map from event names to functions, whose last
 * parameter is the acknowledgement if the event has one.
 */

/**
 * What a program that declares nothing sends and gets: TypeScript's "anything goes", which is what `JSON.parse` has.
 */
export type Anything = ReturnType<typeof JSON.parse>

/** Event names with the functions that listen to them. */
export interface EventsMap {
  [event: string]: Anything
}

/** Every event name with whatever arguments. */
export interface DefaultEventsMap {
  [event: string]: (...args: Array<Anything>) => void
}

/** The names of a map. */
export type EventNames<Map extends EventsMap> = keyof Map & (string | symbol)

/** The arguments of an event, its acknowledgement included. */
export type EventParams<Map extends EventsMap, Ev extends EventNames<Map>> = Parameters<Map[Ev]>

/** The names that can be listened to: the program's and those of the socket itself. */
export type ReservedOrUserEventNames<Reserved extends EventsMap, User extends EventsMap> =
  | EventNames<Reserved>
  | EventNames<User>

/** What listens to an event; for a name that no map has, any function. */
export type ReservedOrUserListener<
  Reserved extends EventsMap,
  User extends EventsMap,
  Ev extends ReservedOrUserEventNames<Reserved, User>
> = OrUntyped<Ev extends EventNames<Reserved> ? Reserved[Ev] : Ev extends EventNames<User> ? User[Ev] : never>

// The tuple keeps a union from being distributed; a generic map resolves to `never` while its events are not known.
type OrUntyped<T> = [T] extends [never] ? (...args: Array<Anything>) => void | Promise<void> : T

/** The last element of a list. */
export type Last<T extends ReadonlyArray<Anything>> = T extends readonly [...infer _, infer L] ? L : Anything

/** All elements but the last. */
export type AllButLast<T extends ReadonlyArray<Anything>> = T extends readonly [...infer H, infer _]
  ? H
  : Array<Anything>

/** The first parameter of a function. */
export type FirstArg<T> = T extends (arg: infer Param, ...others: Array<never>) => infer _ ? Param : Anything

type PrependTimeoutError<T extends Array<Anything>> = {
  [K in keyof T]: T[K] extends (...args: infer Params) => infer Result ? (err: Error, ...args: Params) => Result : T[K]
}

/** The events behind `timeout()`: their acknowledgements get an error first. */
export type DecorateAcknowledgements<E> = {
  [K in keyof E]: E[K] extends (...args: infer Params) => infer Result
    ? (...args: PrependTimeoutError<Params>) => Result
    : E[K]
}
