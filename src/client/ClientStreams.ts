/**
 * Streams of what happens to a client: a module of its own, so that only those who use one pay for `Stream`.
 */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import type { Event, Namespace } from "../contract/index.ts"
import type { ConnectionState } from "./ConnectionState.ts"
import { driverOf, type Socket } from "./Socket.ts"
import type { Packet, Subscriber } from "./SocketDriver.ts"

/** Items kept between making a stream and running it. */
const retainedLimit = 1024

/** How much a running stream may have before it that nobody has taken yet, and what becomes of more. */
export interface BufferOptions {
  /** Default: without limit. */
  readonly bufferSize?: number | undefined
  /** Whether the new items are dropped or the oldest ones. Default `"sliding"`: the oldest. */
  readonly strategy?: "sliding" | "dropping" | undefined
}

/** Where items come from. */
interface Source<A> {
  readonly closed: boolean
  readonly subscribers: Set<Subscriber<A>>
}

const makeQueue = <A>({ bufferSize, strategy = "sliding" }: BufferOptions): Effect.Effect<Queue.Queue<A, Cause.Done>> =>
  bufferSize === undefined ? Queue.make<A, Cause.Done>() : Queue.make<A, Cause.Done>({ capacity: bufferSize, strategy })

/** Keeps what comes before the stream is run, and hands it on. */
class Subscription<A> implements Subscriber<A> {
  readonly #source: Source<A>
  readonly #options: BufferOptions
  #retained: Array<A> = []
  #queue: Queue.Queue<A, Cause.Done> | undefined = undefined

  constructor(source: Source<A>, options: BufferOptions) {
    this.#source = source
    this.#options = options
    if (!source.closed) source.subscribers.add(this)
  }

  offer(item: A): void {
    if (this.#queue !== undefined) Queue.offerUnsafe(this.#queue, item)
    else if (this.#retained.length < Math.min(this.#options.bufferSize ?? retainedLimit, retainedLimit))
      this.#retained.push(item)
    // A stream that was made and never run must not grow for ever.
    else this.#source.subscribers.delete(this)
  }

  end(): void {
    if (this.#queue !== undefined) Queue.endUnsafe(this.#queue)
  }

  readonly run: Stream.Stream<A> = Stream.unwrap(
    Effect.gen({ self: this }, function* () {
      const queue = yield* makeQueue<A>(this.#options)
      Queue.offerAllUnsafe(queue, this.#retained)
      this.#retained = []
      this.#queue = queue
      if (this.#source.closed) Queue.endUnsafe(queue)
      else this.#source.subscribers.add(this)
      yield* Effect.addFinalizer(() => Effect.sync(() => this.#source.subscribers.delete(this)))
      return Stream.fromQueue(queue)
    })
  )
}

const subscribe = <A>(source: Source<A>, options: BufferOptions): Stream.Stream<A> => {
  let first: Subscription<A> | undefined = new Subscription(source, options)
  return Stream.suspend(() => {
    const subscription = first ?? new Subscription(source, options)
    first = undefined
    return subscription.run
  })
}

/**
 * The arguments of an event, each time it comes; ends when the client's scope closes. What comes between this call and the first run is
 * kept (up to 1,024); every other run sees what comes while it runs. Arguments that do not fit the contract go to the error sink.
 */
export const events = <N extends Namespace.Any, E, K extends Namespace.EventName<Namespace.FromServer<N>>>(
  socket: Socket<N, E>,
  event: K,
  options: BufferOptions = {}
): Stream.Stream<Event.Args<Namespace.FromServer<N>[K]>> => {
  const driver = driverOf(socket)
  const listeners = driver.listenersOf(event)
  if (listeners === undefined) {
    return Stream.die(new TypeError(`"${event}" is a reserved event name, or no event of "${socket.name}"`))
  }
  const source: Source<ReadonlyArray<unknown>> = {
    get closed() {
      return driver.closed
    },
    subscribers: listeners.subscribers
  }
  return subscribe(source, options) as Stream.Stream<Event.Args<Namespace.FromServer<N>[K]>>
}

/** Where the connection stands, now and whenever that changes; ends with `Closed` when the client's scope closes. */
export const states = <N extends Namespace.Any, E>(socket: Socket<N, E>): Stream.Stream<ConnectionState> => {
  const driver = driverOf(socket)
  return following(driver, driver.followers, () => driver.state)
}

/** The transport in use, now and whenever it changes; `undefined` while there is no connection. */
export const transports = <N extends Namespace.Any, E>(socket: Socket<N, E>): Stream.Stream<string | undefined> => {
  const driver = driverOf(socket)
  return following(driver, driver.transports, () => driver.manager.transport)
}

const following = <A>(
  driver: { readonly closed: boolean },
  subscribers: Set<Subscriber<A>>,
  current: () => A
): Stream.Stream<A> =>
  Stream.suspend(() => {
    const source: Source<A> = {
      get closed() {
        return driver.closed
      },
      subscribers
    }
    const subscription = new Subscription(source, {})
    subscription.offer(current())
    return subscription.run
  })

/** All events that come in, as the server sent them. */
export const incoming = <N extends Namespace.Any, E>(
  socket: Socket<N, E>,
  options: BufferOptions = {}
): Stream.Stream<Packet> => {
  const driver = driverOf(socket)
  const source: Source<Packet> = {
    get closed() {
      return driver.closed
    },
    subscribers: driver.incoming
  }
  return subscribe(source, options)
}

/** All events that go out, when they leave, with their encoded arguments. */
export const outgoing = <N extends Namespace.Any, E>(
  socket: Socket<N, E>,
  options: BufferOptions = {}
): Stream.Stream<Packet> => {
  const driver = driverOf(socket)
  const source: Source<Packet> = {
    get closed() {
      return driver.closed
    },
    subscribers: driver.outgoing
  }
  return subscribe(source, options)
}
