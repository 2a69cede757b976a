/**
 * The two connections of a server to Redis, one to publish and one to hear, with what is counted and told about them.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type AdapterCounters, AdapterError } from "../Adapter.ts"
import type { Published } from "../ClusterBus.ts"
import type { Kind, Listener, Payload, RedisClient } from "./RedisClient.ts"
import * as Health from "./RedisStreamHealth.ts"

/** What the connections are made with. */
export interface LinkOptions {
  /** The most messages under way to Redis; past it publishing fails at once (`Unavailable`). Default 10,000. */
  readonly maxInFlight?: number | undefined
}

/** What a server does when Redis cannot be reached at the beginning. */
export type WhenUnreachable =
  /** Fails with `Unavailable`. */
  | "fail"
  /** Waits for it. */
  | "wait"
  /** Serves alone until it is there. */
  | "alone"

/** Whether a publication goes to a channel of sharded Pub/Sub. */
export type Way = "channel" | "shard"

const defaultMaxInFlight = 10_000

/** How long Redis may take to say who subscribes. Milliseconds. */
const countTimeout = 5000

const unavailable = (operation: string, cause: unknown): AdapterError =>
  new AdapterError({ reason: "Unavailable", operation, cause })

const published: Published = { _tag: "Published", offset: undefined }

const lost = (): Error => new Error("the connection to Redis is lost")

/** The connections of a server to Redis. */
export class Link {
  readonly counters: AdapterCounters = { published: 0, received: 0, publishFailures: 0, ignored: 0, gaps: 0 }
  readonly health: Health.Health
  readonly #publisher: RedisClient
  readonly #subscriber: RedisClient
  readonly #whenUnreachable: WhenUnreachable
  readonly #maxInFlight: number
  readonly #down = new Set<string>()
  /** Messages may have been missed, which is told when both connections are there again. */
  #missed = false
  #inFlight = 0

  constructor(
    publisher: RedisClient,
    subscriber: RedisClient,
    health: Health.Health,
    whenUnreachable: WhenUnreachable,
    options: LinkOptions
  ) {
    this.#publisher = publisher
    this.#subscriber = subscriber
    this.health = health
    this.#whenUnreachable = whenUnreachable
    this.#maxInFlight = options.maxInFlight ?? defaultMaxInFlight
  }

  /** Watches the connections until the returned function is called. */
  watch(): () => void {
    const stops = [this.#watch("publisher", this.#publisher), this.#watch("subscriber", this.#subscriber)]
    return () => {
      for (const stop of stops) stop()
    }
  }

  #watch(name: "publisher" | "subscriber", client: RedisClient): () => void {
    let wasUp = client.ready
    const down = (cause: unknown): void => {
      this.#down.add(name)
      this.health.down(name, cause ?? lost())
    }
    if (!wasUp) down(undefined)
    return client.observe({
      up: () => {
        // Only what comes by the connection that hears can have been missed.
        if (this.#down.delete(name) && wasUp && name === "subscriber") this.#missed = true
        wasUp = true
        this.health.up(name)
        if (!this.#missed || this.#down.size > 0) return
        this.#missed = false
        this.counters.gaps++
        this.health.gap()
      },
      down
    })
  }

  /**
   * Publishes, in the order of the calls; `done` is called once. While the connection is lost, or too much is under way, it fails at once: clients
   * would queue without bound.
   */
  publish(way: Way, channel: string, payload: Payload, done: (published: Published) => void): void {
    const publisher = this.#publisher
    const fail = (cause: unknown): void => done({ _tag: "Failed", error: unavailable("publish", cause) })
    if (!publisher.ready) return fail(lost())
    if (this.#inFlight >= this.#maxInFlight) return fail(new Error("too many messages are under way to Redis"))
    this.#inFlight++
    let sent: Promise<unknown>
    try {
      sent = way === "channel" ? publisher.publish(channel, payload) : publisher.sPublish(channel, payload)
    } catch (cause) {
      sent = Promise.reject(cause)
    }
    sent.then(
      () => {
        this.#inFlight--
        done(published)
      },
      (cause: unknown) => {
        this.#inFlight--
        fail(cause)
      }
    )
  }

  /** How many nodes subscribe to a channel. Unknown while this node cannot hear: it would not be among them, nor hear their answers. */
  subscribers(way: Way, channel: string): Effect.Effect<number, AdapterError> {
    return Effect.suspend(() => {
      if (!this.#publisher.ready || !this.#subscriber.ready) return Effect.fail(unavailable("serverCount", lost()))
      return Effect.tryPromise({
        try: () => this.#publisher.subscribers(way, channel),
        catch: (cause) => unavailable("serverCount", cause)
      }).pipe(
        Effect.timeoutOrElse({
          duration: countTimeout,
          orElse: () => Effect.fail(unavailable("serverCount", new Error("Redis does not answer")))
        })
      )
    })
  }

  /** Hears a channel until the scope closes. Completes when that is active, or when Redis cannot be reached and that is no failure. */
  subscribe(kind: Kind, name: string, listener: Listener): Effect.Effect<void, AdapterError, Scope.Scope> {
    return Effect.gen({ self: this }, function* () {
      const subscription = yield* Effect.acquireRelease(
        Effect.sync(() => this.#subscriber.subscribe(kind, name, listener)),
        (subscription) => Effect.sync(() => subscription.close())
      )
      if (!this.#subscriber.ready && this.#whenUnreachable === "alone") return
      const active = Effect.tryPromise({
        try: () => subscription.active,
        catch: (cause) => unavailable("subscribe", cause)
      })
      yield* this.#whenUnreachable === "wait" ? active : Effect.raceFirst(active, this.#unreachable)
    })
  }

  /** Hears a channel until the returned subscription is closed. */
  subscribeUnsafe(kind: Kind, name: string, listener: Listener): ReturnType<RedisClient["subscribe"]> {
    return this.#subscriber.subscribe(kind, name, listener)
  }

  /** Waits for a subscription; fails when the connection is lost meanwhile or Redis refuses. */
  awaitActive(active: Promise<void>): Effect.Effect<void, AdapterError> {
    const confirmed = Effect.tryPromise({ try: () => active, catch: (cause) => unavailable("subscribe", cause) })
    return Effect.raceFirst(confirmed, this.#unreachable)
  }

  /** Fails when the connection that hears is lost. */
  get #unreachable(): Effect.Effect<never, AdapterError> {
    return Effect.callback<never, AdapterError>((resume) => {
      const fail = (cause: unknown): void => resume(Effect.fail(unavailable("subscribe", cause)))
      if (!this.#subscriber.ready) return fail(lost())
      const stop = this.#subscriber.observe({ down: (cause) => fail(cause ?? lost()) })
      return Effect.sync(stop)
    })
  }
}

/** The link over two clients, until the scope closes. The clients are not closed. */
export const make = (
  publisher: RedisClient,
  subscriber: RedisClient,
  whenUnreachable: WhenUnreachable,
  options: LinkOptions = {}
): Effect.Effect<Link, never, Scope.Scope> =>
  Effect.gen(function* () {
    const health = yield* Health.make
    const link = new Link(publisher, subscriber, health, whenUnreachable, options)
    yield* Effect.acquireRelease(
      Effect.sync(() => link.watch()),
      (stop) => Effect.sync(stop)
    )
    return link
  })
