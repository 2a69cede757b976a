/**
 * The clients of `redis` (4 to 6) and `ioredis` (5 and newer), single nodes and clusters, as the few things that Redis Streams needs. Which
 * one it is shows in its methods: none of the two packages is imported.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Commands from "./RedisStreamCommands.ts"

type Listener = (...args: Array<unknown>) => void

/** What `redis` and `ioredis` have in common. */
interface AnyClient {
  duplicate(...overrides: Array<never>): unknown
  connect?(): Promise<unknown>
  on(event: string, listener: Listener): unknown
  off(event: string, listener: Listener): unknown
}

/** A client of the package `redis`, or a cluster of it. */
export interface NodeRedisClient extends AnyClient {
  readonly isReady?: boolean
  readonly isOpen: boolean
  readonly masters?: ReadonlyArray<unknown>
  sSubscribe(...args: Array<never>): Promise<unknown>
}

/** A client of the package `ioredis`, or a cluster of it. */
export interface IoRedisClient extends AnyClient {
  readonly status: string
  readonly isCluster?: boolean
  ssubscribe(...args: Array<never>): Promise<unknown>
}

/** A client that a program has made. */
export type RedisStreamsClient = NodeRedisClient | IoRedisClient

/** One connection. */
export interface Connection {
  /** Whether a command would leave at once. */
  readonly ready: boolean
  command(key: string, words: Commands.Words): Promise<unknown>
  publish(channel: string, bytes: Uint8Array, sharded: boolean): Promise<unknown>
  subscribe(channel: string, sharded: boolean, listener: (bytes: Uint8Array) => void): Promise<unknown>
  unsubscribe(channel: string, sharded: boolean): Promise<unknown>
  subscribers(channel: string, sharded: boolean): Promise<number>
  /** Hears of every change; gives what ends it. */
  watch(up: () => void, down: (cause: unknown) => void): () => void
  /** Another connection to the same place, not connected yet, that does not reconnect by itself. */
  duplicate(): ClosableConnection
}

/** A connection that is ours to close. */
export interface ClosableConnection extends Connection {
  connect(): Promise<unknown>
  close(): void
}

/** The methods of `redis` that are called. */
interface NodeRedis extends NodeRedisClient {
  duplicate(overrides?: object): NodeRedis
  connect(): Promise<unknown>
  readonly options?: { readonly socket?: object } | undefined
  destroy?(): void
  disconnect?(): Promise<unknown>
  sendCommand(...args: ReadonlyArray<unknown>): Promise<unknown>
  publish(channel: string, bytes: Uint8Array): Promise<unknown>
  sPublish(channel: string, bytes: Uint8Array): Promise<unknown>
  subscribe(channel: string, listener: (bytes: Uint8Array) => void, bytes: true): Promise<unknown>
  sSubscribe(channel: string, listener: (bytes: Uint8Array) => void, bytes: true): Promise<unknown>
  unsubscribe(channel: string): Promise<unknown>
  sUnsubscribe(channel: string): Promise<unknown>
  nodeClient?(master: unknown): Promise<NodeRedis> | NodeRedis
}

/** The methods of `ioredis` that are called. */
interface IoRedis extends IoRedisClient {
  duplicate(overrides?: unknown, options?: object): IoRedis
  connect(): Promise<unknown>
  disconnect(): void
  call(command: string, ...args: ReadonlyArray<unknown>): Promise<unknown>
  nodes?(role: string): ReadonlyArray<IoRedis>
  publish(channel: string, bytes: Buffer): Promise<unknown>
  spublish(channel: string, bytes: Buffer): Promise<unknown>
  subscribe(channel: string): Promise<unknown>
  ssubscribe(channel: string): Promise<unknown>
  unsubscribe(channel: string): Promise<unknown>
  sunsubscribe(channel: string): Promise<unknown>
}

const bufferOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

const listen = (client: AnyClient, listeners: Readonly<Record<string, Listener>>): (() => void) => {
  for (const [event, listener] of Object.entries(listeners)) client.on(event, listener)
  return () => {
    for (const [event, listener] of Object.entries(listeners)) client.off(event, listener)
  }
}

/** What a client throws at once counts like what it rejects with. */
const attempt = (act: () => Promise<unknown>): Promise<unknown> => {
  try {
    return act()
  } catch (error) {
    return Promise.reject(error)
  }
}

const countWords = (channel: string, sharded: boolean): Commands.Words => [
  "PUBSUB",
  sharded ? "SHARDNUMSUB" : "NUMSUB",
  channel
]

const sum = async (replies: ReadonlyArray<Promise<unknown>>): Promise<number> =>
  (await Promise.all(replies)).reduce<number>((total, reply) => total + Commands.subscribersOf(reply), 0)

const fromNodeRedis = (client: NodeRedis): ClosableConnection => {
  const isCluster = Array.isArray(client.masters)
  const send = (key: string, words: Commands.Words): Promise<unknown> =>
    isCluster ? client.sendCommand(key, false, words) : client.sendCommand(words)
  return {
    get ready() {
      // Clusters of version 4 only know whether they are open.
      return client.isReady ?? client.isOpen
    },
    command: (key, words) => attempt(() => send(key, words)),
    publish: (channel, bytes, sharded) =>
      attempt(() => (sharded ? client.sPublish(channel, bufferOf(bytes)) : client.publish(channel, bufferOf(bytes)))),
    subscribe: (channel, sharded, listener) =>
      attempt(() => (sharded ? client.sSubscribe(channel, listener, true) : client.subscribe(channel, listener, true))),
    unsubscribe: (channel, sharded) =>
      attempt(() => (sharded ? client.sUnsubscribe(channel) : client.unsubscribe(channel))),
    subscribers(channel, sharded) {
      const words = countWords(channel, sharded)
      if (!isCluster) return sum([attempt(() => client.sendCommand(words))])
      const ask = async (master: unknown): Promise<unknown> => (await client.nodeClient!(master)).sendCommand(words)
      return sum(client.masters!.map(ask))
    },
    watch(up, down) {
      const end = (): void => down(new Error("the connection was closed"))
      return listen(client, { ready: up, error: down, end, "node-error": down })
    },
    duplicate() {
      if (isCluster) return fromNodeRedis(client.duplicate())
      return fromNodeRedis(client.duplicate({ socket: { ...client.options?.socket, reconnectStrategy: false } }))
    },
    connect: () => attempt(() => client.connect()),
    close() {
      // Both complain of connections that are closed already.
      if (client.destroy !== undefined) {
        try {
          client.destroy()
        } catch {}
      } else void attempt(() => client.disconnect!()).catch(() => {})
    }
  }
}

const fromIoRedis = (client: IoRedis): ClosableConnection => {
  const isCluster = client.isCluster === true
  const listeners = new Map<string, (bytes: Uint8Array) => void>()
  const onMessage = (channel: unknown, bytes: unknown): void => listeners.get(String(channel))?.(bytes as Uint8Array)
  client.on("messageBuffer", onMessage)
  client.on("smessageBuffer", onMessage)
  return {
    get ready() {
      return client.status === "ready"
    },
    command: (_key, words) => attempt(() => client.call(words[0]!, ...words.slice(1))),
    publish: (channel, bytes, sharded) =>
      attempt(() => (sharded ? client.spublish(channel, bufferOf(bytes)) : client.publish(channel, bufferOf(bytes)))),
    subscribe(channel, sharded, listener) {
      listeners.set(channel, listener)
      return attempt(() => (sharded ? client.ssubscribe(channel) : client.subscribe(channel)))
    },
    unsubscribe(channel, sharded) {
      listeners.delete(channel)
      return attempt(() => (sharded ? client.sunsubscribe(channel) : client.unsubscribe(channel)))
    },
    subscribers(channel, sharded) {
      const [command, ...args] = countWords(channel, sharded)
      const nodes = isCluster ? client.nodes!("master") : [client]
      return sum(nodes.map((node) => attempt(() => node.call(command!, ...args))))
    },
    watch(up, down) {
      const close = (): void => down(new Error("the connection was closed"))
      return listen(client, { ready: up, error: down, close })
    },
    duplicate() {
      const once = { lazyConnect: true, autoResendUnfulfilledCommands: false, retryStrategy: () => null }
      const again = { lazyConnect: true, clusterRetryStrategy: () => null }
      return fromIoRedis(isCluster ? client.duplicate([], again) : client.duplicate(once))
    },
    connect: () => attempt(() => client.connect()),
    close: () => client.disconnect()
  }
}

/** A client of either package as a connection. Whoever made the client closes it. */
export const fromClient = (client: RedisStreamsClient): ClosableConnection =>
  "sSubscribe" in client ? fromNodeRedis(client as NodeRedis) : fromIoRedis(client as IoRedis)

/** A connection at work, and how it is heard that it is lost. */
export interface Opened {
  readonly connection: ClosableConnection
  /** Fails when the connection is lost. */
  readonly lost: Effect.Effect<never, unknown>
}

/** Connects, for as long as the scope is open. Fails when it cannot, and does not try again. */
export const open = (make: () => ClosableConnection): Effect.Effect<Opened, unknown, Scope.Scope> =>
  Effect.gen(function* () {
    let cause: unknown
    let tell: ((cause: unknown) => void) | undefined
    const acquire = Effect.sync(() => {
      const connection = make()
      // For good: a client without a listener throws its errors, also those of its end.
      connection.watch(
        () => {},
        (error) => {
          cause ??= error ?? new Error("the connection was lost")
          tell?.(cause)
        }
      )
      return connection
    })
    const connection = yield* Effect.acquireRelease(acquire, (opened) => Effect.sync(() => opened.close()))
    const lost = Effect.callback<never, unknown>((resume) => {
      tell = (error) => resume(Effect.fail(error))
      if (cause !== undefined) tell(cause)
      return Effect.sync(() => (tell = undefined))
    })
    const connect = Effect.tryPromise({ try: () => connection.connect(), catch: (error) => error })
    yield* Effect.raceFirst(connect, lost)
    return { connection, lost }
  })
