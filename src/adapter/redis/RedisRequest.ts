/**
 * One question to the other nodes over plain Pub/Sub, and the answers so far.
 *
 * Redis says how many nodes there are, answers do not say who sent them: so answers are counted, and who stays silent has no name.
 */
import type { Deadline, Deadlines, Expirable } from "../../runtime/Deadlines.ts"
import { AdapterError } from "../Adapter.ts"

/** What is asked. */
export type Operation = "fetchSockets" | "serverSideEmit" | "emitWithAck"

/** Hears the answers to a question, then how it ended: exactly one of `end` and `fail`, once. */
export interface RequestObserver<A> {
  item(item: A): void
  end(): void
  fail(error: AdapterError): void
}

/** What a question needs to know of its node. */
export interface RequestHome {
  readonly deadlines: Deadlines
  /** The question with this id has ended. */
  settled(id: string): void
}

/** A question that waits for answers. */
export class RedisRequest<A> implements Expirable {
  readonly id: string
  readonly operation: Operation
  readonly #home: RequestHome
  readonly #single: boolean
  readonly #observer: RequestObserver<A>
  readonly #deadline: Deadline
  readonly #received: Array<A> = []
  /** How many nodes have to answer, once Redis has said so. */
  #nodes: number | undefined = undefined
  #answered = 0
  /** Of questions to clients: how many answers the nodes have announced that have not come yet. */
  #outstanding = 0
  #settled = false

  /** `single`: the first answer is enough. The deadline is `millis` milliseconds away. */
  constructor(
    home: RequestHome,
    id: string,
    operation: Operation,
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

  /** So many nodes have to answer. */
  expect(nodes: number): void {
    this.#nodes = Math.max(nodes, 0)
    this.#check()
  }

  /** A node has answered. */
  answer(item: A): void {
    if (this.#settled) return
    this.#answered++
    this.#take(item)
    this.#check()
  }

  /** A node says how many of its clients will answer. */
  announce(count: number): void {
    if (this.#settled) return
    this.#answered++
    this.#outstanding += count
    this.#check()
  }

  /** A client has answered; whether that was still to come. Its node has announced it before, on the same connection. */
  partial(item: A): boolean {
    if (this.#settled || this.#outstanding === 0) return false
    this.#outstanding--
    this.#take(item)
    this.#check()
    return true
  }

  onDeadline(): void {
    const nodes = this.#nodes
    this.fail(
      new AdapterError({
        reason: "Timeout",
        operation: this.operation,
        received: this.#received.slice(),
        missing: nodes === undefined ? undefined : { count: Math.max(nodes - this.#answered, 0), nodes: [] },
        unanswered: this.#outstanding
      })
    )
  }

  /** It cannot be answered. */
  fail(error: AdapterError): void {
    if (this.#settle()) this.#observer.fail(error)
  }

  /** Nobody wants the answers any more. */
  cancel(): void {
    this.#settle()
  }

  #take(item: A): void {
    this.#received.push(item)
    this.#observer.item(item)
    if (this.#single) this.#end()
  }

  #check(): void {
    if (this.#nodes !== undefined && this.#answered >= this.#nodes && this.#outstanding === 0) this.#end()
  }

  #end(): void {
    if (this.#settle()) this.#observer.end()
  }

  #settle(): boolean {
    if (this.#settled) return false
    this.#settled = true
    this.#home.deadlines.cancel(this.#deadline)
    this.#home.settled(this.id)
    return true
  }
}
