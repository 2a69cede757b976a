/**
 * One question to the other nodes, and the answers so far.
 *
 * It ends as soon as everybody has answered or left, and at the latest at its deadline. It does not end before it is known whom to expect.
 */
import type { Deadline, Deadlines, Expirable } from "../runtime/Deadlines.ts"
import { AdapterError } from "./Adapter.ts"

/** Hears the answers to a question, then how it ended: exactly one of `end` and `fail`, once. */
export interface RequestObserver<A> {
  item(item: A): void
  end(): void
  fail(error: AdapterError): void
}

/** What a question needs to know of its node. */
export interface RequestHome {
  readonly deadlines: Deadlines
  /** Whether the broker only counts nodes; else they are known by name. */
  readonly counted: boolean
  /** The question with this id has ended. */
  settled(id: string): void
}

/** How far a node is with its answers. */
interface Progress {
  /** How many answers it will give, once it has said so. */
  expected: number | undefined
  answers: number
  /** Sockets that have answered, where the wire says who. */
  sockets: Set<string> | undefined
  done: boolean
}

/** A node that leaves so soon after the others were counted may not have been among them. Milliseconds. */
const countedLately = 100

/** A question that waits for answers. */
export class ClusterRequest<A> implements Expirable {
  readonly id: string
  readonly operation: string
  readonly #home: RequestHome
  readonly #observer: RequestObserver<A>
  readonly #single: boolean
  readonly #deadline: Deadline
  readonly #received: Array<A> = []
  readonly #progress = new Map<string, Progress>()
  /** Nodes that are known by name and are not done. */
  readonly #open = new Set<string>()
  /** How many nodes there are to answer, where they are only counted. */
  #count: number | undefined = undefined
  #countedAt = 0
  #done = 0
  #complete = false
  #settled = false

  /** `single`: the first answer is enough. The deadline is `millis` milliseconds away. */
  constructor(
    home: RequestHome,
    id: string,
    operation: string,
    millis: number,
    single: boolean,
    observer: RequestObserver<A>
  ) {
    this.#home = home
    this.id = id
    this.operation = operation
    this.#single = single
    this.#observer = observer
    this.#deadline = home.deadlines.set(millis, this)
  }

  // ---- whom to expect

  /** This node has to answer. */
  expect(uid: string): void {
    if (this.#progress.get(uid)?.done !== true) this.#open.add(uid)
  }

  /** So many nodes have to answer; who they are is not known. */
  expectCount(count: number): void {
    this.#count = Math.max(count, 0)
    this.#countedAt = this.#home.deadlines.now()
    this.complete()
  }

  /** Whether it is known whom to expect. */
  get isComplete(): boolean {
    return this.#complete
  }

  /** Everybody who has to answer has been named, or counted. */
  complete(): void {
    this.#complete = true
    this.#check()
  }

  /** This node will give no more answers. */
  left(uid: string): void {
    const progress = this.#progress.get(uid)
    if (progress?.done === true) return
    if (this.#home.counted) {
      // Of nodes that are only counted it is known that they were asked if they have begun to answer, or were there a while ago.
      const { now } = this.#home.deadlines
      const counted = progress !== undefined || (this.#count !== undefined && now() - this.#countedAt > countedLately)
      if (counted) this.#finish(uid, progress ?? this.#progressOf(uid))
      return this.#check()
    }
    this.#open.delete(uid)
    this.#check()
  }

  // ---- answers

  /** The one answer of a node. */
  answer(uid: string, item: A): void {
    const progress = this.#progressOf(uid)
    if (this.#settled || progress.done) return
    this.#finish(uid, progress)
    this.#take(item)
    this.#check()
  }

  /** A node says how many answers it will give. */
  announce(uid: string, count: number): void {
    const progress = this.#progressOf(uid)
    if (this.#settled || progress.expected !== undefined) return
    progress.expected = count
    if (progress.answers >= count) this.#finish(uid, progress)
    else this.#open.add(uid)
    this.#check()
  }

  /** One of the answers of a node. Messages may have been swapped on their way: it may come before their number. */
  partial(uid: string, socketId: string | undefined, item: A): void {
    const progress = this.#progressOf(uid)
    if (this.#settled || progress.done) return
    if (socketId !== undefined) {
      const sockets = (progress.sockets ??= new Set())
      if (sockets.has(socketId)) return
      sockets.add(socketId)
    }
    progress.answers++
    if (progress.expected !== undefined && progress.answers >= progress.expected) this.#finish(uid, progress)
    this.#take(item)
    this.#check()
  }

  // ---- the end

  onDeadline(): void {
    const { counted } = this.#home
    // The question may be shorter than the search for other nodes: then those that are known by now are all there are.
    if (!counted && this.#open.size === 0) return this.#end()
    // Nodes that said how many answers they will give are there: it is their sockets that are silent.
    let announced = 0
    let unanswered = 0
    for (const { answers, done, expected } of this.#progress.values()) {
      if (done || expected === undefined) continue
      announced++
      unanswered += expected - answers
    }
    const missing = counted
      ? this.#count === undefined
        ? undefined
        : { count: Math.max(this.#count - this.#done - announced, 0), nodes: [] }
      : this.#silent()
    const received = this.#received.slice()
    this.fail(new AdapterError({ reason: "Timeout", operation: this.operation, received, missing, unanswered }))
  }

  /** Nodes known by name that have not said anything. */
  #silent(): { readonly count: number; readonly nodes: ReadonlyArray<string> } {
    const nodes = Array.from(this.#open).filter((uid) => this.#progress.get(uid)?.expected === undefined)
    return { count: nodes.length, nodes }
  }

  /** It cannot be answered. */
  fail(error: AdapterError): void {
    if (this.#settle()) this.#observer.fail(error)
  }

  /** Nobody wants the answers any more. */
  cancel(): void {
    this.#settle()
  }

  #progressOf(uid: string): Progress {
    let progress = this.#progress.get(uid)
    if (progress === undefined) {
      progress = { expected: undefined, answers: 0, sockets: undefined, done: false }
      if (!this.#settled) this.#progress.set(uid, progress)
    }
    return progress
  }

  #finish(uid: string, progress: Progress): void {
    progress.done = true
    progress.sockets = undefined
    this.#open.delete(uid)
    this.#done++
  }

  #take(item: A): void {
    this.#received.push(item)
    this.#observer.item(item)
    if (this.#single) this.#end()
  }

  #check(): void {
    if (!this.#complete || this.#settled) return
    if (this.#home.counted ? this.#count !== undefined && this.#done >= this.#count : this.#open.size === 0) this.#end()
  }

  #end(): void {
    if (this.#settle()) this.#observer.end()
  }

  #settle(): boolean {
    if (this.#settled) return false
    this.#settled = true
    this.#home.deadlines.cancel(this.#deadline)
    this.#home.settled(this.id)
    this.#progress.clear()
    this.#open.clear()
    return true
  }
}
