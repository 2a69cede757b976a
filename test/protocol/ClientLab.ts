/** A host for the client machine that writes down what is asked of it and told to it, one line each. */
import type { AckWaiter, PendingAck } from "../../src/protocol/ClientAck.ts"
import type { ClientError, ClientHost, ClientSocketSink, ClientTimerTarget } from "../../src/protocol/ClientHost.ts"
import { ClientMachine, type ClientMachineOptions } from "../../src/protocol/ClientMachine.ts"
import type { ClientSocket, ClientSocketOptions } from "../../src/protocol/ClientSocket.ts"
import type { FrameGroup } from "../../src/protocol/FrameGroup.ts"
import { json } from "../../src/protocol/SocketCodec.ts"

/** A timer of the lab; it fires when the test says so. */
export interface LabTimer {
  readonly millis: number
  readonly target: ClientTimerTarget
}

/** What a test may change about the lab. */
export interface LabOptions extends Partial<ClientMachineOptions> {
  /** Answers `decideRetry` at once with this delay; `undefined` gives up; left out, the test answers. */
  readonly delay?: number | undefined
}

/** A machine and what came of it. */
export class ClientLab implements ClientHost {
  readonly log: Array<string> = []
  readonly timers = new Set<LabTimer>()
  readonly machine: ClientMachine
  writable = true
  expired = false
  decision = 0
  /** Whether somebody listens to what goes out. */
  watches = true
  /** Called with every line that is written: what a program does when it is told. */
  react: (line: string) => void = () => {}
  readonly #options: LabOptions

  constructor(options: LabOptions = {}) {
    this.#options = options
    this.machine = new ClientMachine({ codec: json, reconnection: true, timeout: 20_000, ...options }, this)
  }

  write(line: string): void {
    this.log.push(line)
    this.react(line)
  }

  /** What was written since the last call. */
  take(): ReadonlyArray<string> {
    return this.log.splice(0)
  }

  /** A namespace whose auth is `{}` unless it is given. */
  socket(
    nsp = "/",
    options: ClientSocketOptions = {},
    authenticate: (socket: ClientSocket, attempt: number) => void = (socket, attempt) =>
      socket.authenticated(attempt, {})
  ): ClientSocket {
    return this.machine.socket(nsp, options, (socket) => this.#sink(nsp, socket, authenticate))
  }

  #sink(
    nsp: string,
    socket: () => ClientSocket,
    authenticate: (socket: ClientSocket, attempt: number) => void
  ): ClientSocketSink {
    const watches = (): boolean => this.watches
    return {
      authenticate: (attempt) => authenticate(socket(), attempt),
      onConnecting: () => this.write(`${nsp} connecting`),
      onConnect: (id, recovered) => this.write(`${nsp} connect ${id}${recovered ? " recovered" : ""}`),
      onConnectError: (error) => this.write(`${nsp} connect_error ${describe(error)}`),
      onDisconnect: (reason) => this.write(`${nsp} disconnect ${reason}`),
      onEvent: (data, id) => this.write(`${nsp} event ${JSON.stringify(data)}${id === undefined ? "" : ` #${id}`}`),
      get watchesOutgoing() {
        return watches()
      },
      onOutgoing: (data) => this.write(`${nsp} outgoing ${JSON.stringify(data)}`)
    }
  }

  /** Somebody who waits for an answer and writes down how it settles. */
  waiter(name: string): AckWaiter & { settled: number } {
    const waiter = {
      settled: 0,
      pending: undefined as PendingAck | undefined,
      onAck: (args: ReadonlyArray<unknown>) => {
        waiter.settled++
        this.write(`${name} ack ${JSON.stringify(args)}`)
      },
      onTimeout: () => {
        waiter.settled++
        this.write(`${name} timeout`)
      },
      onDisconnect: (reason: string) => {
        waiter.settled++
        this.write(`${name} disconnected ${reason}`)
      }
    }
    return waiter
  }

  /** Opens the engine and lets the server accept these namespaces. */
  up(...nsps: ReadonlyArray<string>): void {
    this.machine.engineOpened()
    for (const nsp of nsps) this.receive(`0${nsp === "/" ? "" : `${nsp},`}{"sid":"${nsp}-sid"}`)
  }

  receive(...messages: ReadonlyArray<string | Uint8Array>): void {
    for (const message of messages) this.machine.engineMessage(message)
  }

  /** Fires the timers of this length that are running now. */
  fire(millis: number): void {
    for (const timer of [...this.timers]) {
      if (timer.millis === millis && this.timers.delete(timer)) timer.target.onDeadline()
    }
  }

  openEngine(): void {
    this.write("open engine")
  }

  closeEngine(): void {
    this.write("close engine")
  }

  send(group: FrameGroup, compress: boolean): void {
    const attachments = group.attachments === undefined ? "" : ` +${group.attachments.length}`
    this.write(`send ${String(group.head)}${attachments}${compress ? "" : " uncompressed"}`)
  }

  isWritable(): boolean {
    return this.writable
  }

  hasPingExpired(): boolean {
    return this.expired
  }

  setTimer(millis: number, target: ClientTimerTarget): LabTimer {
    const timer = { millis, target }
    this.timers.add(timer)
    return timer
  }

  cancelTimer(timer: unknown): void {
    this.timers.delete(timer as LabTimer)
  }

  decideRetry(decision: number, attempt: number, error: ClientError): void {
    this.decision = decision
    this.write(`decide ${attempt} ${describe(error)}`)
    if (!("delay" in this.#options)) return
    const { delay } = this.#options
    if (delay === undefined) this.machine.giveUp(decision)
    else this.machine.retryAfter(decision, delay)
  }

  onOpen(): void {
    this.write("open")
  }

  onClose(reason: string): void {
    this.write(`close ${reason}`)
  }

  onError(error: ClientError): void {
    this.write(`error ${describe(error)}`)
  }

  onWaiting(attempt: number, millis: number): void {
    this.write(`waiting ${attempt} ${millis}`)
  }

  onReconnectAttempt(attempt: number): void {
    this.write(`attempt ${attempt}`)
  }

  onReconnectError(error: ClientError): void {
    this.write(`reconnect_error ${describe(error)}`)
  }

  onReconnect(attempt: number): void {
    this.write(`reconnect ${attempt}`)
  }

  onReconnectFailed(): void {
    this.write("reconnect_failed")
  }
}

const describe = ({ kind, message, data }: ClientError): string =>
  `${kind}: ${message}${data === undefined ? "" : ` ${JSON.stringify(data)}`}`
