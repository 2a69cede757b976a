/** The two engines, client and server, on a network in memory: what is below Socket.IO, end to end. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type { Scope } from "effect/Scope"
import * as EngineConfig from "../../src/engine/EngineConfig.ts"
import * as EngineServer from "../../src/engine/EngineServer.ts"
import type { Closed, Session } from "../../src/engine/Session.ts"
import type { CloseReason } from "../../src/protocol/CloseReason.ts"
import type { Frame } from "../../src/protocol/FrameGroup.ts"
import * as FrameGroup from "../../src/protocol/FrameGroup.ts"
import * as Deadlines from "../../src/runtime/Deadlines.ts"
import * as Turn from "../../src/runtime/Turn.ts"
import * as MemoryNetwork from "../../src/testing/MemoryNetwork.ts"
import type { ClientTimers } from "../../src/transport/ClientTimers.ts"
import { EngineClient } from "../../src/transport/EngineClient.ts"
import * as EngineClientOptions from "../../src/transport/EngineClientOptions.ts"
import * as EngineUrl from "../../src/transport/EngineUrl.ts"

/** A session at the server with what it was told. */
export interface ServerSession {
  readonly session: Session
  readonly messages: Array<Frame>
  readonly closed: Array<Closed>
  readonly upgrades: Array<string>
}

/** Starts an engine under the host name "server". `onMessage` may answer. */
export const startServer = (
  options: EngineConfig.EngineOptions = {},
  onMessage: (session: Session, data: Frame) => void = () => {}
): Effect.Effect<
  { readonly sessions: Array<ServerSession>; readonly engine: EngineServer.EngineServerShape },
  never,
  Scope | MemoryNetwork.MemoryNetwork
> =>
  Effect.gen(function* () {
    const network = yield* MemoryNetwork.MemoryNetwork
    const config = yield* Effect.orDie(EngineConfig.make(options))
    const sessions: Array<ServerSession> = []
    const engine = EngineServer.makeUnsafe(config, yield* Effect.context<never>(), yield* Effect.scope, (session) => {
      const record: ServerSession = { session, messages: [], closed: [], upgrades: [] }
      sessions.push(record)
      session.observe({ upgrade: (transport) => record.upgrades.push(transport) })
      return {
        onMessage(data) {
          record.messages.push(data)
          onMessage(session, data)
        },
        onDrain() {},
        onClose: (closed) => record.closed.push(closed)
      }
    })
    yield* Effect.orDie(
      network
        .host("server")
        .serve(engine, { path: "/engine.io/", addTrailingSlash: true, maxPayload: config.maxPayload })
    )
    return { sessions, engine }
  })

/** A client's engine with what it was told. */
export interface Client {
  readonly engine: EngineClient
  readonly messages: Array<Frame>
  readonly closed: Array<CloseReason>
  readonly upgrades: Array<string>
  readonly upgradeErrors: Array<string>
  opens: number
}

/** A client of "server" that has begun to open. */
export const startClient = (
  options: Partial<EngineClientOptions.EngineClientOptions> = {},
  onMessage: (engine: EngineClient, data: Frame) => void = () => {}
): Effect.Effect<Client, never, Scope | MemoryNetwork.MemoryNetwork> =>
  Effect.gen(function* () {
    const network = yield* MemoryNetwork.MemoryNetwork
    const context = yield* Effect.context<never>()
    const clock = yield* Clock.Clock
    const random = yield* Random.Random
    const deadlines = Deadlines.makeUnsafe(context, yield* Effect.scope)
    const turn = Turn.makeUnsafe(context)
    const timers: ClientTimers = {
      now: () => clock.currentTimeMillisUnsafe(),
      set(millis, f) {
        const deadline = deadlines.set(millis, { onDeadline: f })
        return () => deadlines.cancel(deadline)
      },
      endOfTurn: (target) => turn.schedule(target),
      random: () => random.nextDoubleUnsafe()
    }
    const address = EngineUrl.parse("http://server", {
      base: undefined,
      path: "/engine.io",
      addTrailingSlash: true,
      query: undefined
    })
    if ("_tag" in address) return yield* Effect.die(new Error(address.message))
    const record: Omit<Client, "engine"> = { messages: [], closed: [], upgrades: [], upgradeErrors: [], opens: 0 }
    const engine: EngineClient = new EngineClient({
      address,
      options: EngineClientOptions.make({ path: "/engine.io", ...options }),
      platform: network.platform(),
      timers,
      memory: { webSocketWorked: false },
      sink: {
        onOpen: () => record.opens++,
        onMessage(data) {
          record.messages.push(data)
          onMessage(engine, data)
        },
        onUpgrade: (transport) => record.upgrades.push(transport),
        onUpgradeError: (failure) => record.upgradeErrors.push(failure.message),
        onClose: (reason) => record.closed.push(reason)
      }
    })
    engine.open()
    return Object.assign(record, { engine })
  })

/** The frame group of a message. */
export const message = (data: Frame): FrameGroup.FrameGroup =>
  FrameGroup.make(typeof data === "string" ? `4${data}` : data)

/** How a message is written by a session: reliably. */
export const reliably = { volatile: false, compress: false } as const
