/**
 * The Engine.IO server: verifies requests, begins sessions and hands requests to the session they belong to.
 *
 * It knows nothing of `node:http` or `ws`: hosts bring `Exchange`s and `UpgradeExchange`s. Everything timed runs on the Clock of the
 * context it was made with.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import * as CloseReason from "../protocol/CloseReason.ts"
import * as EngineHandshake from "../protocol/EngineHandshake.ts"
import * as Deadlines from "../runtime/Deadlines.ts"
import * as Runner from "../runtime/Runner.ts"
import * as Turn from "../runtime/Turn.ts"
import * as EngineConfig from "./EngineConfig.ts"
import * as EngineCounters from "./EngineCounters.ts"
import type { EngineError } from "./EngineError.ts"
import type { EngineHandler } from "./EngineHost.ts"
import type { EngineRequest, EngineResponse, Exchange, UpgradeExchange } from "./EngineRequest.ts"
import * as HandshakeRecord from "./HandshakeRecord.ts"
import * as Heartbeat from "./Heartbeat.ts"
import * as LiveSession from "./LiveSession.ts"
import * as PollingTransport from "./PollingTransport.ts"
import type * as Session from "./Session.ts"
import * as SessionId from "./SessionId.ts"
import * as Sessions from "./Sessions.ts"
import type { Transport } from "./Transport.ts"
import * as Transports from "./Transports.ts"
import * as UnknownSessions from "./UnknownSessions.ts"
import * as WebSocketTransport from "./WebSocketTransport.ts"

/** The level above: is given each new session, and gives back who hears of its messages. Runs before anything else of the session. */
export type OnSession = (session: Session.Session) => Session.SessionSink

/** A running engine. */
export interface EngineServerShape extends EngineHandler {
  readonly config: EngineConfig.EngineConfig
  readonly counters: EngineCounters.EngineCounters
  readonly sessions: Sessions.Sessions["Service"]
  readonly transports: Transports.Transports["Service"]
  /** Open sessions. */
  readonly clientsCount: number
  /** For everything else that this server times. */
  readonly deadlines: Deadlines.Deadlines
  /** For everything else that this server defers to the end of the turn. */
  readonly turn: Turn.Turn
  /** Closes every session with `forced close`. New ones may still begin. */
  closeAll(): void
  /** As `closeAll`, for good: no session begins any more, also none whose handshake is being decided. Closing ones may still be told. */
  shutDown(): void
}

/** The engine as a service. */
export class EngineServer extends Context.Service<EngineServer, EngineServerShape>()(
  "effect-socketio/engine/EngineServer"
) {}

type Refusal = EngineHandshake.EngineRefusal

/** A request that passed `verify`: the first of a session, or one of a session that is there. */
type Verified =
  | { readonly _tag: "New"; readonly factory: Transports.TransportFactory }
  | { readonly _tag: "Known"; readonly session: Session.EngineSession; readonly factory: Transports.TransportFactory }

const isRefusal = (value: Verified | Refusal | undefined): value is Refusal => value?._tag === "EngineRefusal"

/** Whether it is a refusal of ours, and not whatever else a hook of a program without types gave. */
const isDecidedRefusal = (value: unknown): value is Refusal =>
  typeof value === "object" && value !== null && (value as Partial<Refusal>)._tag === "EngineRefusal"

/** RFC 9110 section 5.5: what a field value may not contain. */
const isInvalidHeader = (value: string): boolean => {
  for (let i = 0; i < value.length; i++) {
    const unit = value.charCodeAt(i)
    if ((unit < 0x20 && unit !== 0x09) || unit === 0x7f || unit > 0xff) return true
  }
  return false
}

const refusalResponse = (refusal: Refusal): EngineResponse => ({
  status: EngineHandshake.statusOf(refusal),
  headers: { "Content-Type": "application/json" },
  body: EngineHandshake.refusalBody(refusal)
})

const goneResponse: EngineResponse = { status: 503, headers: { Connection: "close" }, body: undefined }

/**
 * An engine whose sessions end with the scope. Takes `Heartbeat`, `Sessions` and `Transports` from the context where they are, else
 * makes its own by the config; Clock, Scheduler and Random from the context too, so that virtual time works.
 *
 * Session ids are secure random bits, unless the context was given a `Random` of its own: then they follow it, as a seeded test wants.
 */
export const makeUnsafe = (
  config: EngineConfig.EngineConfig,
  context: Context.Context<never>,
  scope: Scope.Scope,
  onSession: OnSession
): EngineServerShape => {
  const clock = Context.get(context, Clock.Clock)
  const heartbeat = Option.getOrElse(
    Context.getOption(context as Context.Context<Heartbeat.Heartbeat>, Heartbeat.Heartbeat),
    () => Heartbeat.make(config, Deadlines.makeUnsafe(context, scope))
  )
  const sessions = Option.getOrElse(
    Context.getOption(context as Context.Context<Sessions.Sessions>, Sessions.Sessions),
    Sessions.makeUnsafe
  )
  const transports = Option.getOrElse(
    Context.getOption(context as Context.Context<Transports.Transports>, Transports.Transports),
    () => Transports.makeUnsafe([PollingTransport.factory, WebSocketTransport.factory])
  )
  const turn = Turn.makeUnsafe(context)
  const counters = EngineCounters.make()
  const runner = Runner.make(context)
  const generate = SessionId.makeGenerator(randomBytes(context))
  /** Whether sessions may begin. */
  let accepting = true
  let closed = false

  const host: Session.SessionHost = {
    heartbeat,
    sessions,
    turn,
    counters,
    maxBufferedAmount: config.maxBufferedAmount
  }

  const environment = (textOnly: boolean): Transports.TransportEnvironment => ({
    deadlines: heartbeat.deadlines,
    counters,
    maxPayload: config.maxPayload,
    maxPacketsPerPayload: config.maxPacketsPerPayload,
    pollCloseTimeout: config.pollCloseTimeout,
    textOnly
  })
  const binaryEnvironment = environment(false)
  const textEnvironment = environment(true)

  const isOffered = (name: string): boolean => config.transports === undefined || config.transports.includes(name)

  /** A hook of the user's must not take the engine down. */
  const guarded = (hook: () => void): void => {
    try {
      hook()
    } catch (error) {
      runner(Effect.logError("a hook of the Engine.IO server failed", error), scope, () => {})
    }
  }

  const unknownSession = UnknownSessions.makeObserver(
    () => clock.currentTimeMillisUnsafe(),
    (message) => runner(Effect.logWarning(message), scope, () => {})
  )

  const refuse = (request: EngineRequest, refusal: Refusal): EngineResponse => {
    counters.refused[refusal.code]++
    const hook = config.onConnectionError
    if (hook !== undefined) guarded(() => hook({ request, refusal }))
    return refusalResponse(refusal)
  }

  const verify = (request: EngineRequest, query: EngineHandshake.EngineQuery, upgrade: boolean): Verified | Refusal => {
    const factory = isOffered(query.transport) ? transports.get(query.transport) : undefined
    if (factory === undefined) return EngineHandshake.unknownTransport(query.transport)
    const origin = request.headers["origin"]
    if (typeof origin === "string" && isInvalidHeader(origin)) {
      return EngineHandshake.badRequest({ name: "INVALID_ORIGIN", origin })
    }
    if (query.sid !== undefined) {
      const session = sessions.get(query.sid)
      if (session === undefined) {
        unknownSession(query.sid)
        return EngineHandshake.unknownSid(query.sid)
      }
      if (!upgrade && session.transportName !== query.transport) {
        const previousTransport = session.transportName
        return EngineHandshake.badRequest({ name: "TRANSPORT_MISMATCH", transport: query.transport, previousTransport })
      }
      if (query.protocol !== EngineHandshake.protocol) {
        const previousProtocol = EngineHandshake.protocol
        return EngineHandshake.badRequest({ name: "PROTOCOL_MISMATCH", protocol: query.protocol, previousProtocol })
      }
      if ((factory.kind === "websocket") !== upgrade) {
        return EngineHandshake.badRequest({ name: "TRANSPORT_HANDSHAKE_ERROR" })
      }
      return { _tag: "Known", session, factory }
    }
    if (request.method !== "GET") return EngineHandshake.badHandshakeMethod(request.method)
    if ((factory.kind === "websocket") !== upgrade) {
      return EngineHandshake.badRequest({ name: "TRANSPORT_HANDSHAKE_ERROR" })
    }
    if (query.protocol !== EngineHandshake.protocol) return EngineHandshake.unsupportedProtocolVersion(query.protocol)
    return { _tag: "New", factory }
  }

  /** Runs what the user decides by Effect; a failure or defect is a refusal. */
  const decide = <A>(
    effect: Effect.Effect<A, unknown>,
    onFailure: (error: unknown) => Refusal,
    done: (value: A | Refusal) => void
  ): void =>
    runner(effect, scope, (exit) => {
      if (Exit.isSuccess(exit)) return done(exit.value)
      done(onFailure(exit.cause))
    })

  /** Asks `allowRequest`, then for an id; synchronous where those are. */
  const admit = (request: EngineRequest, done: (admitted: string | Refusal) => void): void => {
    const allowRequest = config.allowRequest
    if (allowRequest === undefined) return identify(request, done)
    const decision = Effect.suspend(() => allowRequest(request))
    decide(
      decision,
      () => EngineHandshake.forbidden(),
      (allowed) => {
        if (allowed === true) return identify(request, done)
        if (isDecidedRefusal(allowed)) return done(allowed)
        done(EngineHandshake.forbidden(typeof allowed === "string" ? allowed : undefined))
      }
    )
  }

  const badId = (error: unknown): Refusal => EngineHandshake.badRequest({ name: "ID_GENERATION_ERROR", error })

  const identify = (request: EngineRequest, done: (admitted: string | Refusal) => void): void => {
    const generateId = config.generateId
    if (generateId === undefined) return done(generate())
    const id = Effect.suspend((): Effect.Effect<string, unknown> => {
      const made = generateId(request)
      if (typeof made === "string") return Effect.succeed(made)
      return Effect.isEffect(made) ? made : Effect.tryPromise(() => Promise.resolve(made))
    })
    decide(id, badId, (value) => {
      if (isDecidedRefusal(value)) return done(value)
      if (typeof value !== "string" || value === "") return done(badId("the id must be a non-empty string"))
      done(sessions.get(value) === undefined ? value : badId("the id is taken"))
    })
  }

  const begin = (
    request: EngineRequest,
    id: string,
    factory: Transports.TransportFactory,
    transport: Transport
  ): Session.EngineSession => {
    const session = LiveSession.makeUnsafe(host, {
      id,
      handshake: HandshakeRecord.make(request, clock.currentTimeMillisUnsafe()),
      request: config.keepRequest ? request.raw : undefined,
      transport,
      upgrades: config.allowUpgrades
        ? factory.upgradesTo.filter((name) => isOffered(name) && transports.get(name) !== undefined)
        : [],
      maxPayload: config.maxPayload,
      initialPacket: config.initialPacket
    })
    sessions.add(session)
    session.start(onSession(session))
    return session
  }

  const hasHooks =
    config.onHeaders !== undefined || config.onInitialHeaders !== undefined || config.cookie !== undefined

  /** The headers that cookie and hooks add. */
  const decorate = (
    headers: EngineResponse["headers"],
    request: EngineRequest,
    sid: string | undefined,
    cookie: boolean
  ): EngineResponse["headers"] => {
    const all: EngineConfig.MutableHeaders = { ...headers }
    if (sid !== undefined) {
      if (cookie && config.cookie !== undefined) all["Set-Cookie"] = [EngineConfig.cookieHeader(config.cookie, sid)]
      const onInitialHeaders = config.onInitialHeaders
      if (onInitialHeaders !== undefined) guarded(() => onInitialHeaders(all, request))
    }
    const onHeaders = config.onHeaders
    if (onHeaders !== undefined) guarded(() => onHeaders(all, request))
    return all
  }

  /** `sid` only on the first answer of a session. */
  const decorated = (exchange: Exchange, sid: string | undefined): Exchange =>
    hasHooks
      ? {
          request: exchange.request,
          readBody: (maxBytes, done) => exchange.readBody(maxBytes, done),
          onAbort: (listener) => exchange.onAbort(listener),
          respond: (response, compress) =>
            exchange.respond(
              { ...response, headers: decorate(response.headers, exchange.request, sid, true) },
              compress
            )
        }
      : exchange

  const handleRequest = (exchange: Exchange): void => {
    const request = exchange.request
    if (closed) return exchange.respond(goneResponse, false)
    const query = EngineHandshake.parseQuery(HandshakeRecord.querySource(request.url))
    const verified = verify(request, query, false)
    if (isRefusal(verified)) return exchange.respond(refuse(request, verified), false)
    if (verified._tag === "Known") return verified.session.handle(decorated(exchange, undefined))
    const factory = verified.factory
    if (!accepting) return exchange.respond(goneResponse, false)
    admit(request, (admitted) => {
      if (typeof admitted !== "string") return exchange.respond(refuse(request, admitted), false)
      if (!accepting || factory.kind !== "request") return exchange.respond(goneResponse, false)
      const transport = factory.make(query.b64 ? textEnvironment : binaryEnvironment)
      begin(request, admitted, factory, transport)
      transport.handle(decorated(exchange, admitted))
    })
  }

  const handleUpgrade = (exchange: UpgradeExchange): void => {
    const request = exchange.request
    if (closed) return exchange.reject(goneResponse)
    const query = EngineHandshake.parseQuery(HandshakeRecord.querySource(request.url))
    const verified = verify(request, query, true)
    if (isRefusal(verified)) return exchange.reject(refuse(request, verified))
    const factory = verified.factory
    if (factory.kind !== "websocket") return exchange.reject(goneResponse)
    const environmentOf = query.b64 ? textEnvironment : binaryEnvironment
    if (verified._tag === "Known") {
      const session = verified.session
      const headers = hasHooks ? decorate({}, request, undefined, false) : {}
      return exchange.accept(headers, (socket) => {
        // A second one, or a session that ended meanwhile, is accepted and closed, as Engine.IO does.
        if (session.canUpgrade) session.probe(factory.make(environmentOf, socket))
        else socket.close(1005, "")
      })
    }
    if (!accepting) return exchange.reject(goneResponse)
    admit(request, (admitted) => {
      if (typeof admitted !== "string") return exchange.reject(refuse(request, admitted))
      if (!accepting) return exchange.reject(goneResponse)
      const headers = hasHooks ? decorate({}, request, admitted, false) : {}
      exchange.accept(headers, (socket) => {
        if (!accepting || sessions.get(admitted) !== undefined) return socket.terminate()
        begin(request, admitted, factory, factory.make(environmentOf, socket))
      })
    })
  }

  const closeAll = (): void => {
    for (const session of sessions.values()) session.close(CloseReason.forcedClose)
  }

  const shutDown = (): void => {
    accepting = false
    closeAll()
  }

  // Scopes run synchronous finalizers synchronously; a closed scope runs this at once.
  Effect.runSync(
    Scope.addFinalizer(
      scope,
      Effect.sync(() => {
        closed = true
        shutDown()
      })
    )
  )

  return {
    config,
    counters,
    sessions,
    transports,
    get clientsCount() {
      return counters.open
    },
    deadlines: heartbeat.deadlines,
    turn,
    handleRequest,
    handleUpgrade,
    closeAll,
    shutDown
  }
}

const randomBytes = (context: Context.Context<never>): SessionId.RandomBytes => {
  const random = Context.getOrUndefined(context as Context.Context<Random.Random>, Random.Random)
  if (random === undefined) return SessionId.secure
  return (bytes) => {
    for (let i = 0; i < bytes.length; i++) bytes[i] = Math.floor(random.nextDoubleUnsafe() * 256)
  }
}

/** An engine in the current scope. Fails where the options make no sense. */
export const make = (
  options: EngineConfig.EngineOptions,
  onSession: OnSession
): Effect.Effect<EngineServerShape, EngineError, Scope.Scope> =>
  Effect.gen(function* () {
    const config = yield* EngineConfig.make(options)
    return makeUnsafe(config, yield* Effect.context<never>(), yield* Effect.scope, onSession)
  })

/** An engine as a service. */
export const layer = (
  options: EngineConfig.EngineOptions,
  onSession: OnSession
): Layer.Layer<EngineServer, EngineError> => Layer.effect(EngineServer, make(options, onSession))
