/**
 * Nodes over Redis Streams below the namespaces: buses over clients of both packages, on a redis-server of the test.
 */
import { Redis as IoRedis } from "ioredis"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { createClient } from "redis"
import type { AdapterError } from "../../../src/adapter/Adapter.ts"
import type { Broker, ClusterBus, Published } from "../../../src/adapter/ClusterBus.ts"
import { type Body, type ClusterMessage, MessageType } from "../../../src/adapter/ClusterMessage.ts"
import * as StreamsBroker from "../../../src/adapter/redis/RedisStreamsBroker.ts"

/** Both packages. */
export const kinds = ["redis", "ioredis"] as const

/** Which package a client is of. */
export type Kind = (typeof kinds)[number]

const makeClient = async (kind: Kind, url: string): Promise<{ readonly client: unknown; readonly end: () => void }> => {
  if (kind === "ioredis") {
    const client = new IoRedis(url, { retryStrategy: () => 100 })
    client.on("error", () => {})
    await new Promise<void>((resolve) => client.once("ready", () => resolve()))
    return { client, end: () => client.disconnect() }
  }
  const client = createClient({ url, socket: { reconnectStrategy: 100 } })
  client.on("error", () => {})
  await client.connect()
  return { client, end: () => client.destroy() }
}

/** A connected client, as a program has it, until the scope closes. */
export const client = (kind: Kind, url: string): Effect.Effect<unknown, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.promise(() => makeClient(kind, url)),
      (made) => Effect.sync(() => made.end())
    ),
    (made) => made.client
  )

/** Sends commands of the test itself. */
export const commands = (
  url: string
): Effect.Effect<(...words: ReadonlyArray<string | Buffer>) => Effect.Effect<unknown>, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.promise(async () => {
        // RESP2, so that replies look as in its documentation.
        const made = createClient({ url, RESP: 2, socket: { reconnectStrategy: 100 } })
        made.on("error", () => {})
        await made.connect()
        return made
      }),
      (made) => Effect.sync(() => made.destroy())
    ),
    (made) =>
      (...words) =>
        Effect.promise(() => made.sendCommand([...words]))
  )

/** A message that a node heard. */
export interface Heard {
  readonly message: ClusterMessage
  readonly offset: string | undefined
}

/** A node with one namespace. */
export interface Node {
  readonly uid: string
  readonly broker: Broker
  readonly bus: ClusterBus
  readonly heard: Array<Heard>
  /** The names of the events heard; the numbers of other messages. */
  readonly names: () => ReadonlyArray<string>
  readonly publish: (body: Body) => Effect.Effect<Published>
}

const flags = { volatile: false, compress: true, timeout: undefined, expectSingleResponse: false }

/** A broadcast of an event. */
export const event = (
  data: readonly [string, ...Array<unknown>],
  options: {
    rooms?: ReadonlyArray<string>
    except?: ReadonlyArray<string>
    volatile?: boolean
    requestId?: string
  } = {}
): Body => ({
  type: MessageType.BROADCAST,
  target: { rooms: new Set(options.rooms), except: new Set(options.except) },
  flags: { ...flags, volatile: options.volatile === true },
  event: { data },
  requestId: options.requestId
})

/** What became of a broadcast, in short. */
export const offsetOf = (published: Published): string => {
  if (published._tag === "Failed") throw published.error
  if (published.offset === undefined) throw new Error("published without an offset")
  return published.offset
}

/** What a node is opened with. */
export interface NodeOptions extends StreamsBroker.BrokerOptions {
  readonly namespace?: string
  readonly uid: string
  /** Milliseconds; absent where nothing is recovered. */
  readonly recovery?: number
}

/** A node over a client. */
export const node = (over: unknown, options: NodeOptions): Effect.Effect<Node, AdapterError, Scope.Scope> =>
  Effect.flatMap(StreamsBroker.overClient(over, options), (broker) => open(broker, options))

/** A namespace of a broker. */
export const open = (
  broker: Broker,
  { namespace = "/", uid, recovery }: NodeOptions
): Effect.Effect<Node, AdapterError, Scope.Scope> =>
  Effect.gen(function* () {
    const heard: Array<Heard> = []
    const bus = yield* broker.open({
      namespace,
      uid,
      recovery: recovery === undefined ? undefined : { maxDisconnectionDuration: recovery },
      sink: { onMessage: (message, offset) => void heard.push({ message, offset }) }
    })
    return {
      uid,
      broker,
      bus,
      heard,
      names: () =>
        heard.map(({ message: { body } }) =>
          body.type === MessageType.BROADCAST ? body.event.data[0] : String(body.type)
        ),
      publish: (body) =>
        Effect.callback<Published>((resume) => {
          bus.publish({ uid, nsp: namespace, body }, (published) => resume(Effect.succeed(published)))
        })
    }
  })

/** Waits for a condition, 15 seconds at most. */
export const until = (condition: () => boolean, what = "the condition"): Effect.Effect<void> => {
  const wait: Effect.Effect<void> = Effect.suspend(() =>
    condition() ? Effect.void : Effect.andThen(Effect.sleep("5 millis"), wait)
  )
  return Effect.timeoutOrElse(wait, {
    duration: "15 seconds",
    orElse: () => Effect.die(new Error(`waited in vain for ${what}`))
  })
}
