/**
 * A network in memory, between the real server and the real client.
 *
 * It stands where sockets would: servers get HTTP requests and WebSockets from it (`EngineHost`), clients send them through it
 * (`ClientPlatform`), so polling, upgrade and WebSocket code runs as it does in production. Time is that of Effect's `Clock` and every
 * delivery is a task of its `Scheduler`: under `TestClock` a test is deterministic and `TestClock.adjust` waits for whole cascades.
 *
 * ```ts
 * const network = yield* MemoryNetwork.MemoryNetwork
 * yield* network.latency("40 millis")
 * yield* network.freeze()          // the line is dead and nobody was told
 * yield* TestClock.adjust("45 seconds")
 * yield* network.heal()
 * ```
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scheduler from "effect/Scheduler"
import * as TestClock from "effect/testing/TestClock"
import { Platform } from "../client/Platform.ts"
import { EngineHost } from "../engine/EngineHost.ts"
import * as Deadlines from "../runtime/Deadlines.ts"
import * as Turn from "../runtime/Turn.ts"
import type { ClientPlatform } from "../transport/ClientPlatform.ts"
import * as Faults from "./Faults.ts"
import * as MemoryClient from "./MemoryClient.ts"
import { type LinkContext, MemoryLink } from "./MemoryLink.ts"
import { isFor, type Mount } from "./MemoryServer.ts"
import * as TrackedScheduler from "./TrackedScheduler.ts"

export type { Carrier, Direction, PerDirection, Selector } from "./Faults.ts"

/** What has passed since the network was made. */
export interface Traffic {
  /** HTTP requests that were started. */
  readonly requests: number
  /** WebSockets that were opened. */
  readonly webSockets: number
  /** Connections that nobody accepted. */
  readonly refused: number
  /** Connections broken by `cut` and `reset`. */
  readonly reset: number
  /** Requests, bodies, answers and frames that arrived, in both directions. */
  readonly parcels: number
  /** Bytes of bodies and frames that arrived, in both directions; heads of HTTP messages are not counted. */
  readonly bytes: number
  /** Connections that exist now. */
  readonly open: number
  /** Parcels on their way now. */
  readonly inFlight: number
}

/** The network that tests stand on. Faults apply to the connections that the selector means, to all without one. */
export class MemoryNetwork extends Context.Service<
  MemoryNetwork,
  {
    /** Delays what is sent from now on, each way or both; 0 at first. */
    latency(
      delay: Duration.Input | Faults.PerDirection<Duration.Input>,
      selector?: Faults.Selector
    ): Effect.Effect<void>
    /** Limits each connection to so many bytes a second, each way or both; no limit at first. */
    bandwidth(bytesPerSecond: number | Faults.PerDirection<number>, selector?: Faults.Selector): Effect.Effect<void>
    /** Stops the traffic of one direction or both without anybody being told: half-open connections, or a reader that does not read. New connections hang. */
    freeze(selector?: Faults.Selector & { readonly direction?: Faults.Direction | undefined }): Effect.Effect<void>
    /** Loses the present connections without either end being told, for ever: a router that forgot them. New ones work. */
    lose(selector?: Faults.Selector): Effect.Effect<void>
    /** Breaks the present connections, and both ends are told. New ones work. */
    reset(selector?: Faults.Selector): Effect.Effect<void>
    /** Refuses new connections; the present ones go on. */
    refuse(selector?: Faults.Selector): Effect.Effect<void>
    /** Breaks the present connections and refuses new ones, until `heal`. */
    cut(selector?: Faults.Selector): Effect.Effect<void>
    /** Ends `freeze`, `refuse` and `cut` that were set for the selector or within it; frozen traffic arrives. Latency and bandwidth stay. */
    heal(selector?: Faults.Selector): Effect.Effect<void>
    /** What has passed and what there is. */
    readonly traffic: Effect.Effect<Traffic>
    /**
     * Waits until nothing is left to run: no delivery that is due, no fiber that could go on, in any number of steps. Whatever waits for the clock
     * (latency, timers) or for real input and output goes on waiting.
     */
    readonly settle: Effect.Effect<void>
    /** The client's side, for a client of that name; "client" unless given. */
    platform(client?: string): ClientPlatform
    /** The server's side, under a host name of its own: `http://<name>` reaches it. */
    host(name: string): EngineHost["Service"]
  }
>()("effect-socketio/testing/MemoryNetwork") {}

const split = <A>(value: A | Faults.PerDirection<A>): ReadonlyArray<readonly [Faults.Direction, A]> => {
  if (typeof value === "object" && value !== null && ("toServer" in value || "toClient" in value)) {
    const entries: Array<readonly [Faults.Direction, A]> = []
    if (value.toServer !== undefined) entries.push(["toServer", value.toServer])
    if (value.toClient !== undefined) entries.push(["toClient", value.toClient])
    return entries
  }
  const both = value as A
  return [
    ["toServer", both],
    ["toClient", both]
  ]
}

/** A network in the current scope, on the current clock; and the scheduler by which it knows what is left to run. */
const makeWithScheduler = Effect.gen(function* () {
  const scope = yield* Effect.scope
  const scheduler = TrackedScheduler.make(yield* Scheduler.Scheduler)
  const context = Context.add(yield* Effect.context<never>(), Scheduler.Scheduler, scheduler)
  const turn = Turn.makeUnsafe(context)
  const deadlines = Deadlines.makeUnsafe(context, scope)
  const faults = Faults.make()
  const links = new Set<MemoryLink>()
  const mounts = new Map<string, Array<Mount>>()
  const counters: MemoryClient.Counters = { requests: 0, webSockets: 0, refused: 0, reset: 0, parcels: 0, bytes: 0 }

  const linkContext: LinkContext = {
    turn,
    deadlines,
    arrived(bytes) {
      counters.parcels++
      counters.bytes += bytes
    },
    conditions: faults.conditions,
    over: (link) => links.delete(link)
  }

  /** A connection, unless it is refused at once. Whether anything listens shows when the first parcel arrives. */
  const connect = (parties: Faults.Parties): MemoryLink | undefined => {
    if (faults.refused(parties)) {
      counters.refused++
      return undefined
    }
    const link = new MemoryLink(linkContext, parties)
    links.add(link)
    return link
  }

  const world: MemoryClient.ClientWorld = {
    turn,
    deadlines,
    counters,
    connect,
    isListening: (server) => (mounts.get(server)?.length ?? 0) > 0,
    mountFor: (server, url) => mounts.get(server)?.find((mount) => isFor(mount, url))
  }

  const chosen = (selector: Faults.Selector | undefined): ReadonlyArray<MemoryLink> =>
    [...links].filter((link) => Faults.selects(selector ?? {}, link.parties))

  const refresh = (): void => {
    for (const link of links) link.refresh()
  }

  const reset = (selector: Faults.Selector | undefined): void => {
    for (const link of chosen(selector)) {
      // An end that was lost does not learn of a reset either.
      if (link.lost) continue
      counters.reset++
      link.reset(MemoryClient.brokenPipe())
    }
  }

  const idle: Effect.Effect<void> = Effect.callback<void>((resume) => {
    if (scheduler.pending === 0) return resume(Effect.void)
    const forget = scheduler.onIdle(() => resume(Effect.void))
    return Effect.sync(forget)
  })

  const service = MemoryNetwork.of({
    latency: (delay, selector = {}) =>
      Effect.sync(() => {
        for (const [direction, value] of split(delay)) {
          faults.add(selector, { _tag: "Latency", direction, millis: Duration.toMillis(value) })
        }
        refresh()
      }),
    bandwidth: (bytesPerSecond, selector = {}) =>
      Effect.sync(() => {
        for (const [direction, value] of split(bytesPerSecond)) {
          faults.add(selector, { _tag: "Bandwidth", direction, bytesPerSecond: value })
        }
        refresh()
      }),
    freeze: ({ direction, ...selector } = {}) =>
      Effect.sync(() => {
        for (const frozen of direction === undefined ? (["toServer", "toClient"] as const) : [direction]) {
          faults.add(selector, { _tag: "Frozen", direction: frozen })
        }
        refresh()
      }),
    lose: (selector) =>
      Effect.sync(() => {
        for (const link of chosen(selector)) link.lose()
      }),
    reset: (selector) => Effect.sync(() => reset(selector)),
    refuse: (selector = {}) => Effect.sync(() => faults.add(selector, { _tag: "Refused" })),
    cut: (selector = {}) =>
      Effect.sync(() => {
        faults.add(selector, { _tag: "Refused" })
        reset(selector)
      }),
    heal: (selector = {}) =>
      Effect.sync(() => {
        faults.heal(selector)
        refresh()
      }),
    traffic: Effect.sync(() => {
      let inFlight = 0
      for (const link of links) inFlight += link.toServer.inFlight + link.toClient.inFlight
      return { ...counters, open: links.size, inFlight }
    }),
    settle: Effect.gen(function* () {
      // A fiber of another scheduler may just have been forked: let it begin, then wait, until that brings nothing new.
      do {
        yield* idle
        yield* Effect.yieldNow
        yield* Effect.yieldNow
      } while (scheduler.pending > 1)
      yield* idle
    }),
    platform: (client = "client") => MemoryClient.makePlatform(world, client),
    host: (name) => ({
      serve: (handler, options) =>
        Effect.acquireRelease(
          Effect.sync(() => {
            const path = options.addTrailingSlash && !options.path.endsWith("/") ? `${options.path}/` : options.path
            const mount: Mount = { handler, path, maxPayload: options.maxPayload }
            mounts.set(name, [...(mounts.get(name) ?? []), mount])
            return mount
          }),
          (mount) =>
            Effect.sync(() => {
              mounts.set(name, mounts.get(name)?.filter((other) => other !== mount) ?? [])
            })
        ).pipe(Effect.asVoid),
      address: Effect.succeed(undefined)
    })
  })

  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      for (const link of links) link.end()
      mounts.clear()
    })
  )
  return { service, scheduler }
})

/**
 * A network of its own. The layer also gives clients their platform, and its scheduler to everything that runs on it, which is how `settle`
 * knows about the fibers of the server, the clients and the test.
 */
export const layer: Layer.Layer<MemoryNetwork> = Layer.effectContext(
  Effect.map(makeWithScheduler, ({ scheduler, service }) =>
    Context.make(MemoryNetwork, service).pipe(
      Context.add(Scheduler.Scheduler, scheduler),
      Context.add(Platform, service.platform())
    )
  )
)

/** Gives the clients that the effect connects a name of their own, by which faults can mean them. */
export const asClient =
  (name: string) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | MemoryNetwork> =>
    MemoryNetwork.use((network) => Effect.provideService(effect, Platform, network.platform(name)))

/**
 * Lets virtual time pass: waits until what happens now has happened, adjusts the `TestClock`, and waits again. `TestClock.adjust` alone waits for
 * what the clock sets off, but jumps over what has only just begun.
 */
export const adjust = (duration: Duration.Input): Effect.Effect<void, never, MemoryNetwork> =>
  MemoryNetwork.use(({ settle }) => settle.pipe(Effect.andThen(TestClock.adjust(duration)), Effect.andThen(settle)))

/**
 * Runs an effect while virtual time passes, as much as it needs and not more: for what takes some time that the test does not want to spell
 * out (latency, a reconnection). Dies when it has not ended after `atMost`.
 */
export const passTime =
  (
    options: {
      /** How far the clock moves each time that nothing is left to run. Default 10 milliseconds. */
      readonly step?: Duration.Input | undefined
      /** Default 10 minutes. */
      readonly atMost?: Duration.Input | undefined
    } = {}
  ) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | MemoryNetwork> =>
    Effect.gen(function* () {
      const { settle } = yield* MemoryNetwork
      const step = Duration.toMillis(Duration.fromInputUnsafe(options.step ?? "10 millis"))
      const atMost = Duration.toMillis(Duration.fromInputUnsafe(options.atMost ?? "10 minutes"))
      const fiber = yield* Effect.forkChild(effect, { startImmediately: true })
      yield* settle
      for (let passed = 0; fiber.pollUnsafe() === undefined; passed += step) {
        if (passed >= atMost) {
          yield* Fiber.interrupt(fiber)
          return yield* Effect.die(new Error(`still running after ${atMost} ms of virtual time`))
        }
        yield* TestClock.adjust(step)
        yield* settle
      }
      return yield* Fiber.join(fiber)
    })

/** The host for one server of the network, reached as `http://<name>`; "server" unless given. */
export const layerHost = (name = "server"): Layer.Layer<EngineHost, never, MemoryNetwork> =>
  Layer.effect(
    EngineHost,
    MemoryNetwork.use((network) => Effect.succeed(network.host(name)))
  )
