/**
 * Streams of what happens to a socket: a queue exists only while somebody runs the stream.
 */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"

/** The side that feeds subscriptions, and that is to slow down when one of them does not keep up. */
export interface Source<A> {
  /** Whether more can come. */
  readonly open: boolean
  subscribe(subscription: Subscription<A>): void
  unsubscribe(subscription: Subscription<A>): void
  /** A subscriber is behind: take no more input until `release`. */
  hold(): void
  release(): void
}

/** Items that a running subscriber may have before it its source is held. */
const highWater = 256

/** Items kept between making a stream and running it. */
const retainedLimit = 1024

/** One subscriber. */
export class Subscription<A> {
  readonly #source: Source<A>
  #retained: Array<A> | undefined = []
  #queue: Queue.Queue<A, Cause.Done> | undefined
  #holding = false

  constructor(source: Source<A>) {
    this.#source = source
  }

  /** Whether it was never run and has been given up. */
  get forgotten(): boolean {
    return this.#queue === undefined && this.#retained === undefined
  }

  offer(item: A): void {
    const queue = this.#queue
    if (queue !== undefined) {
      Queue.offerUnsafe(queue, item)
      if (!this.#holding && Queue.sizeUnsafe(queue) >= highWater) {
        this.#holding = true
        this.#source.hold()
      }
      return
    }
    const retained = this.#retained
    if (retained === undefined) return
    // A stream that was made and never run must not grow for ever.
    if (retained.length < retainedLimit) retained.push(item)
    else this.close()
  }

  /** Nothing comes any more; what is queued is still delivered. */
  end(): void {
    if (this.#queue !== undefined) Queue.endUnsafe(this.#queue)
  }

  /** Nobody listens any more. */
  close(): void {
    this.#retained = undefined
    this.#source.unsubscribe(this)
    this.#release()
    if (this.#queue !== undefined) Queue.shutdownUnsafe(this.#queue)
  }

  /** Begins to deliver. */
  readonly run: Effect.Effect<Effect.Effect<readonly [A, ...Array<A>], Cause.Done>> = Effect.gen(
    { self: this },
    function* () {
      const queue = yield* Queue.make<A, Cause.Done>()
      if (this.#retained !== undefined) Queue.offerAllUnsafe(queue, this.#retained)
      this.#retained = undefined
      this.#queue = queue
      if (!this.#source.open) Queue.endUnsafe(queue)
      return Effect.tap(Queue.takeAll(queue), () => Effect.sync(() => this.#release()))
    }
  )

  #release(): void {
    if (!this.#holding) return
    this.#holding = false
    this.#source.release()
  }
}

/**
 * A stream of a source. What comes from now on is kept for the first run of it (up to 1,024 items: then the stream counts as forgotten,
 * and a later run starts anew); every other run sees what comes while it runs.
 */
export const stream = <A>(source: Source<A>): Stream.Stream<A> => {
  let first: Subscription<A> | undefined = new Subscription(source)
  source.subscribe(first)
  return Stream.unwrap(
    Effect.gen(function* () {
      let subscription = first
      first = undefined
      if (subscription === undefined || subscription.forgotten) {
        subscription = new Subscription(source)
        source.subscribe(subscription)
      }
      const opened = subscription
      yield* Effect.addFinalizer(() => Effect.sync(() => opened.close()))
      return Stream.fromPull(opened.run)
    })
  )
}
