/**
 * One view of the clients of node-redis (`redis`, from 4 on) and ioredis (from 5 on), single servers and clusters. Which one it is is found
 * out by its methods. Clients belong to whoever made them: a view never closes one, and takes its listeners off when nobody needs them.
 */
import * as RedisSubscriptions from "./RedisSubscriptions.ts"

/** What Redis is sent: text or bytes. */
export type Payload = string | Uint8Array

/** Hears the messages of a channel; never throws. */
export type Listener = (payload: Uint8Array, channel: string) => void

/** Kinds of subscription: a channel, all channels that fit a glob pattern, a channel of sharded Pub/Sub (Redis 7). */
export type Kind = "channel" | "pattern" | "shard"

/** A subscription, which outlives losses of the connection. */
export interface Subscription {
  /** Settles when Redis has confirmed it; rejects when Redis refuses it. While the connection is lost it goes on waiting. */
  readonly active: Promise<void>
  /** Ends it. Nothing is heard from then on. */
  close(): void
}

/** Hears how the connection is doing. */
export interface Observer {
  /** The connection is there, with all its subscriptions: at first, or again. */
  up?(): void
  /** It is lost, or could not be made; the client tries again. */
  down?(cause: unknown): void
}

/** A client of Redis, whichever it is. */
export interface RedisClient {
  readonly flavour: "node-redis" | "ioredis"
  readonly cluster: boolean
  /** Whether a command would leave at once. Where it would not, clients queue it without bound. */
  readonly ready: boolean
  /** Resolves to the number of receivers that the server knows of. In the order of the calls. */
  publish(channel: string, payload: Payload): Promise<unknown>
  /** The same on a channel of sharded Pub/Sub. */
  sPublish(channel: string, payload: Payload): Promise<unknown>
  subscribe(kind: Kind, name: string, listener: Listener): Subscription
  /** How many connections subscribe to a channel, over all masters. */
  subscribers(kind: "channel" | "shard", channel: string): Promise<number>
  /** Carries out a command about one key. */
  command(key: string, words: ReadonlyArray<string>): Promise<unknown>
  /** Another client to the same servers, connecting. Whoever asks for it closes it. */
  duplicate(): Duplicate
  /** Until the returned function is called. */
  observe(observer: Observer): () => void
}

/** A client that was made by `duplicate`. */
export interface Duplicate {
  readonly client: RedisClient
  /** Settles when it is connected for the first time; rejects when it gave up. */
  readonly connected: Promise<void>
  close(): void
}

/** Methods of clients, as far as they are used here. */
type Method = (...args: ReadonlyArray<unknown>) => unknown
type Methods = Readonly<Record<string, unknown>>

const has = (client: Methods, name: string): boolean => typeof client[name] === "function"

const call = (client: Methods, name: string, ...args: ReadonlyArray<unknown>): unknown =>
  (client[name] as Method).call(client, ...args)

/** What a call gives, as a promise also where it throws. */
const attempt = async (client: Methods, name: string, ...args: ReadonlyArray<unknown>): Promise<unknown> =>
  call(client, name, ...args)

/** Clients take no bytes but Buffers. */
const wire = (payload: Payload): string | Buffer =>
  typeof payload === "string" || Buffer.isBuffer(payload)
    ? payload
    : Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength)

/** The number in `[channel, count]`. */
const countOf = (reply: unknown): number => {
  const count = Array.isArray(reply) ? Number(reply[1]) : Number.NaN
  if (!Number.isSafeInteger(count)) throw new TypeError("PUBSUB gave no count")
  return count
}

const sum = (counts: ReadonlyArray<number>): number => counts.reduce((total, count) => total + count, 0)

const numSub = { channel: "NUMSUB", shard: "SHARDNUMSUB" } as const

/** What both kinds of clients share: the subscriptions and the state of the connection. */
abstract class View implements RedisClient {
  abstract readonly flavour: "node-redis" | "ioredis"
  abstract readonly cluster: boolean
  abstract readonly ready: boolean
  protected readonly client: Methods
  readonly #observers = new Set<Observer>()
  readonly #subscriptions: RedisSubscriptions.Subscriptions
  #detach: (() => void) | undefined = undefined
  #lost = false

  constructor(client: Methods) {
    this.client = client
    this.#subscriptions = new RedisSubscriptions.Subscriptions(
      (kind, name, listener) => this.listen(kind, name, listener),
      (kind, name, listener) => this.unlisten(kind, name, listener),
      () => this.#settle()
    )
  }

  /** Events after which the connection may be there again. */
  protected abstract readonly upEvents: ReadonlyArray<string>
  protected abstract readonly downEvents: ReadonlyArray<string>
  /** Whether subscriptions have to be made again by us when the connection is back. */
  protected abstract readonly forgetsSubscriptions: boolean
  protected abstract listen(kind: Kind, name: string, listener: Listener): Promise<unknown>
  protected abstract unlisten(kind: Kind, name: string, listener: Listener): Promise<unknown>
  /** Listeners for the messages of all subscriptions, where the client has such. */
  protected abstract readonly messageEvents: ReadonlyArray<readonly [event: string, listener: Method]>

  abstract publish(channel: string, payload: Payload): Promise<unknown>
  abstract sPublish(channel: string, payload: Payload): Promise<unknown>
  abstract subscribers(kind: "channel" | "shard", channel: string): Promise<number>
  abstract command(key: string, words: ReadonlyArray<string>): Promise<unknown>
  abstract duplicate(): Duplicate

  subscribe(kind: Kind, name: string, listener: Listener): Subscription {
    this.#attach()
    return this.#subscriptions.add(kind, name, listener)
  }

  /** Tells the listeners of a subscription. */
  protected tell(kind: Kind, name: string, payload: unknown, channel: unknown): void {
    this.#subscriptions.tell(kind, name, payload, channel)
  }

  observe(observer: Observer): () => void {
    this.#attach()
    this.#observers.add(observer)
    return () => {
      this.#observers.delete(observer)
      this.#settle()
    }
  }

  #attach(): void {
    if (this.#detach !== undefined) return
    const down = (cause?: unknown): void => {
      // Clients also report errors that are no loss of the connection.
      if (this.ready) return
      this.#lost = true
      for (const observer of this.#observers) observer.down?.(cause)
    }
    const up = (): void => {
      const again = this.#lost
      this.#lost = false
      void this.#subscriptions.restore(again && this.forgetsSubscriptions).then(() => {
        if (!this.ready) return
        for (const observer of this.#observers) observer.up?.()
      })
    }
    const listeners: ReadonlyArray<readonly [string, Method]> = [
      ...this.upEvents.map((event) => [event, up] as const),
      ...this.downEvents.map((event) => [event, down] as const),
      ...this.messageEvents
    ]
    for (const [event, listener] of listeners) call(this.client, "on", event, listener)
    this.#detach = () => {
      for (const [event, listener] of listeners) call(this.client, "off", event, listener)
    }
  }

  /** Takes the listeners off when nobody needs them. */
  #settle(): void {
    if (this.#detach === undefined || this.#observers.size > 0 || this.#subscriptions.size > 0) return
    this.#detach()
    this.#detach = undefined
    this.#lost = false
  }
}

/** Runs `close` of a client, whatever its state is. */
const quietly = (client: Methods, names: ReadonlyArray<string>): void => {
  const name = names.find((candidate) => has(client, candidate))
  if (name === undefined) return
  void attempt(client, name).catch(() => {
    // It was closed before.
  })
}

const nodeRedisNames = {
  channel: ["subscribe", "unsubscribe"],
  pattern: ["pSubscribe", "pUnsubscribe"],
  shard: ["sSubscribe", "sUnsubscribe"]
} as const

/**
 * Without the timer that clients set for every command from version 6 on: it costs more than the command. It only ends commands that are not
 * written yet, and how many may wait is bounded where messages are published.
 */
const untimed = { timeout: undefined }

class NodeRedis extends View {
  readonly flavour = "node-redis"
  readonly cluster: boolean
  protected readonly upEvents: ReadonlyArray<string>
  protected readonly downEvents: ReadonlyArray<string>
  // It makes them again by itself, before it says that it is ready.
  protected readonly forgetsSubscriptions = false
  protected readonly messageEvents = []

  constructor(client: Methods) {
    super(client)
    this.cluster = Array.isArray(client["masters"])
    this.upEvents = this.cluster ? ["connect", "node-ready"] : ["ready"]
    this.downEvents = this.cluster ? ["error", "node-error", "disconnect"] : ["error", "reconnecting", "end"]
  }

  get ready(): boolean {
    // Clusters of the versions before 6 say only whether they are open.
    const { isReady, isOpen } = this.client
    return isReady === undefined ? isOpen === true : isReady === true
  }

  publish(channel: string, payload: Payload): Promise<unknown> {
    return this.cluster
      ? (call(this.client, "publish", channel, wire(payload)) as Promise<unknown>)
      : (call(this.client, "sendCommand", ["PUBLISH", channel, wire(payload)], untimed) as Promise<unknown>)
  }

  sPublish(channel: string, payload: Payload): Promise<unknown> {
    return this.cluster
      ? (call(this.client, "sPublish", channel, wire(payload)) as Promise<unknown>)
      : (call(this.client, "sendCommand", ["SPUBLISH", channel, wire(payload)], untimed) as Promise<unknown>)
  }

  protected listen(kind: Kind, name: string, listener: Listener): Promise<unknown> {
    return attempt(this.client, nodeRedisNames[kind][0], name, listener, true)
  }

  protected unlisten(kind: Kind, name: string, listener: Listener): Promise<unknown> {
    return attempt(this.client, nodeRedisNames[kind][1], name, listener, true)
  }

  async subscribers(kind: "channel" | "shard", channel: string): Promise<number> {
    const words = ["PUBSUB", numSub[kind], channel]
    if (!this.cluster) return countOf(await attempt(this.client, "sendCommand", words))
    const masters = this.client["masters"] as ReadonlyArray<Methods>
    const counts = masters.map(async (master) => {
      const node = (
        has(this.client, "nodeClient") ? await attempt(this.client, "nodeClient", master) : await master["client"]
      ) as Methods
      return countOf(await attempt(node, "sendCommand", words))
    })
    return sum(await Promise.all(counts))
  }

  command(key: string, words: ReadonlyArray<string>): Promise<unknown> {
    return this.cluster
      ? attempt(this.client, "sendCommand", key, false, words)
      : attempt(this.client, "sendCommand", words)
  }

  duplicate(): Duplicate {
    const client = call(this.client, "duplicate") as Methods
    // Without a listener an error ends the process; whoever wants to know observes the view.
    call(client, "on", "error", () => {})
    return {
      client: new NodeRedis(client),
      connected: attempt(client, "connect").then(() => {}),
      close: () => quietly(client, ["destroy", "disconnect"])
    }
  }
}

const ioRedisNames = {
  channel: ["subscribe", "unsubscribe"],
  pattern: ["psubscribe", "punsubscribe"],
  shard: ["ssubscribe", "sunsubscribe"]
} as const

class IoRedis extends View {
  readonly flavour = "ioredis"
  readonly cluster: boolean
  protected readonly upEvents = ["ready"]
  protected readonly downEvents = ["error", "close", "end"]
  // Whether it makes them again is an option of the client, and when they are active it does not say.
  protected readonly forgetsSubscriptions = true
  protected readonly messageEvents: ReadonlyArray<readonly [string, Method]> = [
    ["messageBuffer", (channel, message) => this.#route("channel", channel, message, channel)],
    ["smessageBuffer", (channel, message) => this.#route("shard", channel, message, channel)],
    ["pmessageBuffer", (pattern, channel, message) => this.#route("pattern", pattern, message, channel)]
  ]

  constructor(client: Methods) {
    super(client)
    this.cluster = client["isCluster"] === true
  }

  #route(kind: Kind, name: unknown, payload: unknown, channel: unknown): void {
    this.tell(kind, String(name), payload, channel)
  }

  get ready(): boolean {
    return this.client["status"] === "ready"
  }

  publish(channel: string, payload: Payload): Promise<unknown> {
    return call(this.client, "publish", channel, wire(payload)) as Promise<unknown>
  }

  sPublish(channel: string, payload: Payload): Promise<unknown> {
    return call(this.client, "spublish", channel, wire(payload)) as Promise<unknown>
  }

  protected listen(kind: Kind, name: string): Promise<unknown> {
    const options = this.client["options"] as { readonly shardedSubscribers?: boolean } | undefined
    if (kind === "shard" && this.cluster && options?.shardedSubscribers !== true) {
      // It would subscribe, and never hear anything.
      return Promise.reject(
        new TypeError("a Cluster of ioredis needs the option shardedSubscribers for sharded Pub/Sub")
      )
    }
    return attempt(this.client, ioRedisNames[kind][0], name)
  }

  protected unlisten(kind: Kind, name: string): Promise<unknown> {
    return attempt(this.client, ioRedisNames[kind][1], name)
  }

  async subscribers(kind: "channel" | "shard", channel: string): Promise<number> {
    const nodes = this.cluster ? (call(this.client, "nodes", "master") as ReadonlyArray<Methods>) : [this.client]
    const counts = nodes.map(async (node) => countOf(await attempt(node, "call", "PUBSUB", numSub[kind], channel)))
    return sum(await Promise.all(counts))
  }

  command(_key: string, words: ReadonlyArray<string>): Promise<unknown> {
    return attempt(this.client, "call", ...words)
  }

  duplicate(): Duplicate {
    const client = call(this.client, "duplicate") as Methods
    call(client, "on", "error", () => {})
    const connected = new Promise<void>((resolve, reject) => {
      call(client, "once", "ready", resolve)
      call(client, "once", "end", () => reject(new Error("the client of Redis has given up")))
    })
    // Where it is told not to connect by itself.
    if (client["status"] === "wait") void attempt(client, "connect").catch(() => {})
    return { client: new IoRedis(client), connected, close: () => quietly(client, ["disconnect"]) }
  }
}

const views = new WeakMap<object, RedisClient>()

const isObject = (value: unknown): value is object =>
  (typeof value === "object" && value !== null) || typeof value === "function"

const viewOf = (client: Methods): RedisClient => {
  if (has(client, "on") && has(client, "off") && has(client, "publish")) {
    if (has(client, "pSubscribe") && has(client, "duplicate")) return new NodeRedis(client)
    if (has(client, "psubscribe") && typeof client["status"] === "string") return new IoRedis(client)
  }
  throw new TypeError("this is no client of the packages redis (from 4 on) and ioredis (from 5 on)")
}

/** The view of a client: the same for the same client. Throws a `TypeError` for anything else. */
export const from = (client: unknown): RedisClient => {
  if (!isObject(client)) throw new TypeError("a client of Redis is needed")
  const known = views.get(client)
  if (known !== undefined) return known
  const view = viewOf(client as unknown as Methods)
  views.set(client, view)
  return view
}
