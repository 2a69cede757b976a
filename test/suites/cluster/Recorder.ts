/** The sockets of a namespace as an adapter sees them, without a server: records what it is told, and answers what it is set to. */
import type {
  AckReply,
  BroadcastFlags,
  EventData,
  LocalSockets,
  RecoveryOptions,
  SocketDescription,
  Target
} from "../../../src/adapter/Adapter.ts"

/** What a node was told to deliver. */
export interface Delivered {
  readonly target: Target
  readonly event: EventData
  readonly flags: BroadcastFlags
  readonly offset: string | undefined
}

/** Everybody. */
export const all: Target = { rooms: new Set(), except: new Set() }

/** Those in one of the rooms. */
export const inRooms = (...rooms: ReadonlyArray<string>): Target => ({ rooms: new Set(rooms), except: new Set() })

/** No flags. */
export const plain: BroadcastFlags = {
  volatile: false,
  compress: true,
  timeout: undefined,
  expectSingleResponse: false
}

/** An event with its arguments. */
export const event = (name: string, ...args: ReadonlyArray<unknown>): EventData => ({ data: [name, ...args] })

/** A namespace without sockets of its own. */
export class Recorder implements LocalSockets {
  readonly namespace: string
  readonly recovery: RecoveryOptions | undefined
  /** Everything, in order, as a word and the first argument. */
  readonly log: Array<string> = []
  readonly delivered: Array<Delivered> = []
  readonly events: Array<EventData> = []
  readonly sockets: Array<SocketDescription> = []
  /** The answers of its sockets to a broadcast, given at once; the number asked may be larger. */
  replies: Array<AckReply> = []
  silent = 0
  /** What it answers to other servers; `undefined`: nothing. */
  answer: ((event: EventData) => ReadonlyArray<unknown>) | undefined = undefined
  /** Answers that somebody waits for. */
  readonly waiting: Array<(args: ReadonlyArray<unknown>) => void> = []

  constructor(namespace: string, recovery?: RecoveryOptions) {
    this.namespace = namespace
    this.recovery = recovery
  }

  /** The first arguments of the events delivered. */
  get texts(): Array<unknown> {
    return this.delivered.map(({ event }) => event.data[1])
  }

  deliver(target: Target, event: EventData, flags: BroadcastFlags, offset?: string): void {
    this.log.push(`deliver ${String(event.data[1])}`)
    this.delivered.push({ target, event, flags, offset })
  }

  deliverWithAcks(
    target: Target,
    event: EventData,
    flags: BroadcastFlags,
    observer: { asked(count: number): void; reply(reply: AckReply): void; done(): void }
  ): void {
    this.log.push(`ask ${String(event.data[1])}`)
    this.delivered.push({ target, event, flags, offset: undefined })
    observer.asked(this.replies.length + this.silent)
    for (const reply of this.replies) observer.reply(reply)
    if (this.silent === 0) observer.done()
  }

  join(target: Target, rooms: ReadonlyArray<string>): void {
    this.log.push(`join ${Array.from(target.rooms).join()} ${rooms.join()}`)
  }

  leave(target: Target, rooms: ReadonlyArray<string>): void {
    this.log.push(`leave ${Array.from(target.rooms).join()} ${rooms.join()}`)
  }

  disconnect(target: Target, close: boolean): void {
    this.log.push(`disconnect ${Array.from(target.rooms).join()} ${close}`)
  }

  describe(): ReadonlyArray<SocketDescription> {
    return this.sockets
  }

  serverSideEvent(event: EventData, reply: ((args: ReadonlyArray<unknown>) => void) | undefined): void {
    this.log.push(`event ${String(event.data[1])}`)
    this.events.push(event)
    if (reply === undefined) return
    if (this.answer === undefined) this.waiting.push(reply)
    else reply(this.answer(event))
  }
}
