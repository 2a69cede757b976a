/**
 * The way out of a namespace whose sockets can be recovered: events go to the log, and are delivered when their place in it is known.
 *
 * The place, an opaque text, goes to the client behind the arguments of the event. What cannot be stored (answers wanted, volatile, for this
 * node only) waits behind what is being stored, so that everything arrives in the order in which the program sent it.
 */
import type { BroadcastFlags, EventData, RecoveryStore, Target } from "../adapter/Adapter.ts"
import type { WriteOptions, WriteResult } from "../engine/Session.ts"
import type { FrameGroup } from "../protocol/FrameGroup.ts"
import * as DisconnectReason from "../protocol/DisconnectReason.ts"
import type { Deadline, Expirable } from "../runtime/Deadlines.ts"
import type { PollObserver } from "./Ack.ts"
import { Holes } from "./Holes.ts"
import { noOffset, type RecoverySettings } from "./Recovery.ts"
import type { ServerNamespace } from "./ServerNamespace.ts"
import type { ServerSocket } from "./ServerSocket.ts"

/** Events that wait for their place in the log; with more, the first goes without. */
export const maxWaiting = 10_000

const nobody: ReadonlySet<string> = new Set()

/** A stored event that was delivered while somebody was being let in. */
export interface Delivered {
  readonly target: Target
  readonly event: EventData
  readonly offset: string
}

/** Something to send, in its turn. */
interface Waiting {
  readonly ready: boolean
  run(): void
}

/** An event on its way to the log. */
class Stored implements Waiting {
  readonly target: Target
  readonly event: EventData
  readonly flags: BroadcastFlags
  /** The only one it is for, if it is for one. */
  readonly socket: ServerSocket | undefined
  /** Encoded when it was sent: what the program does to its objects later does not show. */
  readonly group: FrameGroup
  /** When it began to wait, if it had to. */
  since = 0
  offset: string | undefined = undefined
  ready = false
  result: WriteResult = "buffered"
  readonly #outbox: RecoveringOutbox

  constructor(
    outbox: RecoveringOutbox,
    target: Target,
    event: EventData,
    flags: BroadcastFlags,
    socket: ServerSocket | undefined,
    group: FrameGroup
  ) {
    this.#outbox = outbox
    this.target = target
    this.event = event
    this.flags = flags
    this.socket = socket
    this.group = group
  }

  run(): void {
    this.#outbox.deliverStored(this)
  }
}

const endsWithText = (data: EventData["data"]): boolean => typeof data[data.length - 1] === "string"

/** The outbox of a namespace with a store. */
export class RecoveringOutbox implements Expirable {
  readonly holes: Holes
  readonly #namespace: ServerNamespace
  readonly #store: RecoveryStore
  readonly #settings: RecoverySettings
  readonly #queue: Array<Waiting> = []
  #draining = false
  #deadline: Deadline | undefined = undefined
  #position: string | undefined
  #gatherings: Set<Array<Delivered>> | undefined = undefined

  constructor(namespace: ServerNamespace, store: RecoveryStore, settings: RecoverySettings) {
    this.#namespace = namespace
    this.#store = store
    this.#settings = settings
    this.#position = store.position
    this.holes = new Holes(namespace.core.deadlines, settings.maxDisconnectionDuration)
  }

  /** The place of the last event that was delivered here: whoever was connected then has been sent all up to it. */
  get position(): string | undefined {
    return this.#position ?? this.#store.position
  }

  /** How many events wait. */
  get waiting(): number {
    return this.#queue.length
  }

  /** To one socket; with an id when an answer is wanted. A lost socket that may come back gets it then. */
  send(socket: ServerSocket, data: EventData["data"], id: number | undefined, options: WriteOptions): WriteResult {
    if (id === undefined && !options.volatile && (socket.connected || mayReturn(socket))) {
      const target: Target = { rooms: new Set([socket.id]), except: nobody }
      const flags = { ...options, timeout: undefined, expectSingleResponse: false }
      return this.#append(target, { data }, flags, socket)
    }
    if (this.#queue.length === 0) return this.#sendNow(socket, data, id, options, undefined)
    const group = this.#namespace.encode(data, id)
    if (group === undefined || !socket.connected) return socket.write(group, options)
    this.#wait(() => this.#sendNow(socket, data, id, options, group))
    return "buffered"
  }

  broadcast(target: Target, event: EventData, flags: BroadcastFlags, local: boolean): void {
    const { adapter } = this.#namespace
    const remote = adapter?.remote === true
    if (!flags.volatile && !(local && remote)) {
      this.#append(target, event, flags, undefined)
      return
    }
    if (remote && !local) adapter.publish(target, event, flags)
    if (this.#queue.length === 0) return this.receive(target, event, flags, undefined)
    const group = this.#namespace.encode(event.data, undefined)
    if (group !== undefined) this.#wait(() => this.#deliver(target, event, flags, undefined, group, undefined))
  }

  poll(target: Target, event: EventData, flags: BroadcastFlags, observer: PollObserver): () => void {
    if (this.#queue.length === 0) return this.#namespace.poll(target, event, flags, observer)
    let cancel: (() => void) | undefined
    let cancelled = false
    this.#wait(() => {
      if (!cancelled) cancel = this.#namespace.poll(target, event, flags, observer)
    })
    return () => {
      cancelled = true
      cancel?.()
    }
  }

  /** An event of another node, with its place if it has one; also what is not stored and need not wait. */
  receive(target: Target, event: EventData, flags: BroadcastFlags, offset: string | undefined): void {
    const tail = this.#tailOf(event, offset)
    const group = this.#namespace.encode(tail === undefined ? event.data : [...event.data, tail], undefined)
    if (group !== undefined) this.#write(target, event, flags, offset, tail, group, undefined)
  }

  /** Keeps what is delivered from now on, for a client that is being let in. */
  gather(): Array<Delivered> {
    const gathering: Array<Delivered> = []
    ;(this.#gatherings ??= new Set()).add(gathering)
    return gathering
  }

  stopGathering(gathering: Array<Delivered>): void {
    this.#gatherings?.delete(gathering)
    if (this.#gatherings?.size === 0) this.#gatherings = undefined
  }

  #append(target: Target, event: EventData, flags: BroadcastFlags, socket: ServerSocket | undefined): WriteResult {
    const group = this.#namespace.encode(event.data, undefined)
    if (group === undefined) return socket === undefined ? "dropped" : socket.write(undefined, flags)
    const { deadlines } = this.#namespace.core
    const stored = new Stored(this, target, event, flags, socket, group)
    this.#queue.push(stored)
    try {
      this.#store.append(target, event, flags, (offset) => this.#settle(stored, offset))
    } catch {
      this.#settle(stored, undefined)
    }
    if (!stored.ready) {
      stored.since = deadlines.now()
      this.#deadline ??= deadlines.set(this.#settings.storeTimeout, this)
      if (this.#queue.length > maxWaiting) this.#expire(Number.POSITIVE_INFINITY, 1)
    }
    return stored.result
  }

  /** Its place is known, or it has none. What was delivered without waiting any longer keeps none. */
  #settle(stored: Stored, offset: string | undefined): void {
    if (stored.ready) return
    stored.ready = true
    stored.offset = offset
    this.#drain()
  }

  #wait(run: () => void): void {
    this.#queue.push({ ready: true, run })
  }

  /** One after the other, also when somebody who is told about an event sends another. */
  #drain(): void {
    if (this.#draining) return
    this.#draining = true
    try {
      for (let first = this.#queue[0]; first?.ready === true; first = this.#queue[0]) {
        this.#queue.shift()
        first.run()
      }
    } finally {
      this.#draining = false
    }
    if (this.#queue.length > 0 || this.#deadline === undefined) return
    this.#namespace.core.deadlines.cancel(this.#deadline)
    this.#deadline = undefined
  }

  /** The store takes too long. */
  onDeadline(): void {
    this.#deadline = undefined
    const { deadlines } = this.#namespace.core
    this.#expire(deadlines.now() - this.#settings.storeTimeout, Number.POSITIVE_INFINITY)
    const first = this.#queue[0]
    if (first instanceof Stored && this.#deadline === undefined) {
      const rest = first.since + this.#settings.storeTimeout - deadlines.now()
      this.#deadline = deadlines.set(Math.max(rest, 1), this)
    }
  }

  /** Gives up on the place of the first events, of those that were sent by then. */
  #expire(by: number, most: number): void {
    for (let left = most; left > 0; left--) {
      const first = this.#queue[0]
      if (!(first instanceof Stored) || first.since > by) return
      this.#settle(first, undefined)
    }
  }

  /** @internal Its turn has come. */
  deliverStored(stored: Stored): void {
    const { event, flags, group, offset, socket, target } = stored
    if (offset === undefined) {
      this.#namespace.core.counters.unstored++
      this.holes.open()
    }
    stored.result = this.#deliver(target, event, flags, offset, group, socket)
  }

  /** Writes what was encoded without its place. */
  #deliver(
    target: Target,
    event: EventData,
    flags: BroadcastFlags,
    offset: string | undefined,
    group: FrameGroup,
    socket: ServerSocket | undefined
  ): WriteResult {
    const tail = this.#tailOf(event, offset)
    const extended = tail === undefined ? group : this.#extend(group, event.data, tail)
    return extended === undefined ? "dropped" : this.#write(target, event, flags, offset, tail, extended, socket)
  }

  #extend(group: FrameGroup, data: EventData["data"], tail: string): FrameGroup | undefined {
    const { extend } = this.#namespace.core.settings.codec
    return extend === undefined ? this.#namespace.encode([...data, tail], undefined) : extend(group, tail)
  }

  /** What goes behind the arguments: its place, else the last one, if the client would take the event's own last text for one. */
  #tailOf(event: EventData, offset: string | undefined): string | undefined {
    if (offset !== undefined) return offset
    return endsWithText(event.data) ? (this.position ?? noOffset) : undefined
  }

  #write(
    target: Target,
    event: EventData,
    flags: BroadcastFlags,
    offset: string | undefined,
    tail: string | undefined,
    group: FrameGroup,
    only: ServerSocket | undefined
  ): WriteResult {
    const { counters } = this.#namespace.core
    if (offset !== undefined) {
      this.#position = offset
      event.frames = group
      this.holes.passed(offset)
      if (this.#gatherings !== undefined) {
        for (const gathering of this.#gatherings) gathering.push({ target, event, offset })
      }
    }
    if (only !== undefined) {
      counters.eventsSent++
      return write(only, event, flags, offset, tail, group)
    }
    counters.broadcasts++
    let deliveries = 0
    this.#namespace.rooms.select(target, (socket) => {
      deliveries++
      write(socket, event, flags, offset, tail, group)
    })
    counters.deliveries += deliveries
    return "sent"
  }

  #sendNow(
    socket: ServerSocket,
    data: EventData["data"],
    id: number | undefined,
    options: WriteOptions,
    encoded: FrameGroup | undefined
  ): WriteResult {
    const tail = id === undefined ? this.#tailOf({ data }, undefined) : undefined
    const group = encoded === undefined || tail === undefined ? encoded : this.#extend(encoded, data, tail)
    const written = group ?? this.#namespace.encode(tail === undefined ? data : [...data, tail], id)
    this.#namespace.core.counters.eventsSent++
    return write(socket, { data }, options, undefined, tail, written)
  }
}

/** Whether a socket was lost in a way that it may come back from. */
const mayReturn = ({ goneBecause, session }: ServerSocket): boolean =>
  goneBecause !== undefined &&
  session !== undefined &&
  !session.superseded &&
  session.taken === undefined &&
  DisconnectReason.keepsSession(goneBecause.reason)

const write = (
  socket: ServerSocket,
  event: EventData,
  options: WriteOptions,
  offset: string | undefined,
  tail: string | undefined,
  group: FrameGroup | undefined
): WriteResult => {
  const { session } = socket
  if (offset !== undefined && session !== undefined && !session.awaits(offset)) return "sent"
  // It comes back for it.
  if (offset !== undefined && !socket.connected && mayReturn(socket)) return "buffered"
  // It was sent again what this node has not come to yet: the last place that is known here would lead it back.
  const ahead = offset === undefined && tail !== undefined && session?.replayed !== undefined ? session.last : undefined
  const own = ahead === undefined ? group : socket.namespace.encode([...event.data, ahead], undefined)
  const result = socket.write(own, options)
  if (tail !== undefined && session !== undefined && result !== "dropped") session.last = ahead ?? tail
  if (socket.extras?.outgoing !== undefined) socket.notifyOutgoing(event.data)
  return result
}
