/**
 * One connection and what goes over it: the Effect client's side of the `ClientMachine`. Clock, chance and scheduler are those of the
 * context it was made with, so that tests run it in virtual time.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import type { ClientError, ClientHost, ClientTimer, ClientTimerTarget } from "../protocol/ClientHost.ts"
import { ClientMachine } from "../protocol/ClientMachine.ts"
import type { CloseReason } from "../protocol/CloseReason.ts"
import type { Frame, FrameGroup } from "../protocol/FrameGroup.ts"
import * as GuardedCodec from "../protocol/GuardedCodec.ts"
import type { SocketCodec } from "../protocol/SocketCodec.ts"
import * as Deadlines from "../runtime/Deadlines.ts"
import * as Runner from "../runtime/Runner.ts"
import * as Turn from "../runtime/Turn.ts"
import type { ClientPlatform } from "../transport/ClientPlatform.ts"
import type { ClientTimers } from "../transport/ClientTimers.ts"
import type { TransportFailure } from "../transport/ClientTransport.ts"
import { EngineClient, type EngineClientSink, type EngineMemory } from "../transport/EngineClient.ts"
import type { EngineClientOptions } from "../transport/EngineClientOptions.ts"
import type { EngineAddress } from "../transport/EngineUrl.ts"
import { ConnectFailed } from "./ClientError.ts"
import { type ClientReport, ErrorSink } from "./ClientReport.ts"
import type { Delays, ReconnectionPolicy } from "./Reconnection.ts"

/** What a manager is made of. */
export interface ManagerParts {
  readonly address: EngineAddress
  readonly engine: EngineClientOptions
  readonly platform: ClientPlatform
  readonly codec: SocketCodec
  /** When to connect again. */
  readonly policy: ReconnectionPolicy
  /** Milliseconds that an attempt may take. */
  readonly timeout: number | undefined
}

/** What is told to each namespace of a manager, besides what its own socket hears. */
export interface ManagerListener {
  onWaiting(attempt: number, millis: number, error: ConnectFailed): void
  onAttempt(): void
  onGaveUp(error: ConnectFailed): void
  onTransport(name: string | undefined): void
}

/** What a failure below the namespaces is to the program. */
export const connectFailed = (error: ClientError): ConnectFailed =>
  new ConnectFailed({ message: error.message, description: error.description })

/** Whether a WebSocket worked on a platform the last time; the official client keeps this for the whole page, too. */
const memories = new WeakMap<ClientPlatform, EngineMemory>()

const memoryOf = (platform: ClientPlatform): EngineMemory => {
  let memory = memories.get(platform)
  if (memory === undefined) memories.set(platform, (memory = { webSocketWorked: false }))
  return memory
}

/** The engine's words, for the one connection that counts: what an earlier one still says is ignored. */
class EngineLink implements EngineClientSink {
  readonly manager: ManagerImpl
  readonly engine: EngineClient

  constructor(manager: ManagerImpl, parts: ManagerParts, timers: ClientTimers) {
    this.manager = manager
    const { address, engine, platform } = parts
    this.engine = new EngineClient({
      address,
      options: engine,
      platform,
      timers,
      memory: memoryOf(platform),
      sink: this
    })
  }

  get #isCurrent(): boolean {
    return this.manager.link === this
  }

  onOpen(): void {
    if (!this.#isCurrent) return
    this.manager.machine.engineOpened()
    this.manager.transportChanged()
  }

  onMessage(data: Frame): void {
    if (this.#isCurrent) this.manager.machine.engineMessage(data)
  }

  onUpgrade(): void {
    if (this.#isCurrent) this.manager.transportChanged()
  }

  onClose(reason: CloseReason, failure: TransportFailure | undefined): void {
    if (!this.#isCurrent) return
    this.manager.link = undefined
    this.manager.machine.engineClosed(reason, failure?.description, failure?.message)
    this.manager.transportChanged()
  }
}

/** @internal */
export class ManagerImpl implements ClientHost {
  readonly machine: ClientMachine
  readonly scope: Scope.Scope
  readonly context: Context.Context<never>
  link: EngineLink | undefined = undefined
  readonly listeners = new Set<ManagerListener>()
  closed = false
  readonly #parts: ManagerParts
  readonly #deadlines: Deadlines.Deadlines
  readonly #timers: ClientTimers
  readonly #sink: ErrorSink
  readonly #run: Runner.Runner<never>
  /** The transport that listeners know of. */
  #told: string | undefined = undefined
  #delays: Delays | undefined = undefined
  #error: ConnectFailed | undefined = undefined

  constructor(parts: ManagerParts, context: Context.Context<never>, scope: Scope.Scope) {
    this.#parts = parts
    this.context = context
    this.scope = scope
    this.#sink = Context.get(context, ErrorSink)
    this.#run = Runner.make(context)
    const clock = Context.get(context, Clock.Clock)
    const random = Context.get(context, Random.Random)
    const deadlines = (this.#deadlines = Deadlines.makeUnsafe(context, scope))
    const turn = Turn.makeUnsafe(context)
    this.#timers = {
      now: () => clock.currentTimeMillisUnsafe(),
      set(millis, f) {
        const deadline = deadlines.set(millis, { onDeadline: f })
        return () => deadlines.cancel(deadline)
      },
      endOfTurn: (target) => turn.schedule(target),
      random: () => random.nextDoubleUnsafe()
    }
    // Without reconnection the policy gives up at once, so that whoever waits hears of it.
    this.machine = new ClientMachine(
      { codec: GuardedCodec.make(parts.codec), reconnection: true, timeout: parts.timeout },
      this
    )
    Effect.runSync(
      Scope.addFinalizer(
        scope,
        Effect.sync(() => this.#close())
      )
    )
  }

  #close(): void {
    this.closed = true
    this.machine.dispose()
  }

  /** Whether it reaches the same server in the same way: host and path, over the same platform, in the same codec. */
  speaksAs({ address, platform, codec }: ManagerParts): boolean {
    const own = this.#parts
    return (
      own.platform === platform &&
      own.codec === codec &&
      own.address.secure === address.secure &&
      own.address.host === address.host &&
      own.address.path === address.path
    )
  }

  get transport(): string | undefined {
    return this.machine.isOpen ? this.link?.engine.transportName : undefined
  }

  transportChanged(): void {
    const { transport } = this
    if (transport === this.#told) return
    this.#told = transport
    for (const listener of this.listeners) listener.onTransport(transport)
  }

  report(report: ClientReport): void {
    if (Cause.hasInterruptsOnly(report.cause) && this.closed) return
    // Not tied to a scope: what happens last is reported too.
    Effect.runForkWith(this.context)(Effect.suspend(() => this.#sink(report)))
  }

  // --- what the machine asks for

  openEngine(): void {
    const link = new EngineLink(this, this.#parts, this.#timers)
    this.link = link
    link.engine.open()
  }

  closeEngine(): void {
    const { link } = this
    this.link = undefined
    link?.engine.close()
  }

  send(group: FrameGroup, compress: boolean): void {
    this.link?.engine.write(group, compress)
  }

  isWritable(): boolean {
    return this.link?.engine.writable === true
  }

  hasPingExpired(): boolean {
    return this.link?.engine.hasPingExpired() === true
  }

  setTimer(millis: number, target: ClientTimerTarget): ClientTimer {
    return this.#deadlines.set(millis, target)
  }

  cancelTimer(timer: ClientTimer): void {
    this.#deadlines.cancel(timer as Deadlines.Deadline)
  }

  decideRetry(decision: number, attempt: number, cause: ClientError): void {
    const error = (this.#error = connectFailed(cause))
    const delay = Effect.suspend(() => (this.#delays ??= this.#parts.policy.begin())(attempt, error))
    this.#run(delay, this.scope, (exit) => {
      if (Exit.isFailure(exit)) {
        this.report({ cause: exit.cause, stage: "reconnection", event: undefined, namespace: "" })
        this.machine.giveUp(decision)
      } else if (exit.value === undefined) this.machine.giveUp(decision)
      else this.machine.retryAfter(decision, exit.value)
    })
  }

  // --- what the machine tells

  onOpen(): void {
    this.#delays = undefined
    this.#error = undefined
  }

  onClose(): void {
    this.transportChanged()
  }

  onError(error: ClientError): void {
    this.#error = connectFailed(error)
  }

  onWaiting(attempt: number, millis: number): void {
    const error = this.#error
    if (error !== undefined) for (const listener of this.listeners) listener.onWaiting(attempt, millis, error)
  }

  onReconnectAttempt(): void {
    for (const listener of this.listeners) listener.onAttempt()
  }

  onReconnectError(): void {}

  onReconnect(): void {}

  onReconnectFailed(): void {
    this.#delays = undefined
    const error = this.#error
    if (error !== undefined) for (const listener of this.listeners) listener.onGaveUp(error)
  }
}
