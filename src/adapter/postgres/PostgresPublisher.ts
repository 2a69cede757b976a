/**
 * The one connection that publishes. Statements leave one after the other, so messages are committed, and so delivered, in the order in which
 * they were handed over; what comes while one is under way leaves together with the next.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type ConnectionSink, keep } from "../KeptConnection.ts"
import type { Deadlines, Expirable } from "../../runtime/Deadlines.ts"
import { AdapterError } from "../Adapter.ts"
import type * as Connection from "./PostgresConnection.ts"
import type { Form } from "./PostgresEncoding.ts"
import type { PostgresSettings } from "./PostgresOptions.ts"
import * as Statements from "./PostgresStatements.ts"

/** A message on its way out. */
export interface Outgoing {
  readonly channel: string
  readonly form: Form
  /** Whether it goes into the log. */
  readonly stored: boolean
  /** Told once: with an error, or without one when it is committed. */
  readonly settled: (error: AdapterError | undefined) => void
}

/** Together in one statement at most: so many messages, and so many bytes. */
const maxBatch = 256
const maxBatchBytes = 1024 * 1024

const failure = (reason: "Unavailable" | "Rejected", cause: unknown): AdapterError =>
  new AdapterError({ reason, operation: "publish", cause })

/** Publishes over whatever connection there is. */
export class Publisher implements Expirable {
  readonly #settings: PostgresSettings
  readonly #statements: Statements.Statements
  readonly #deadlines: Deadlines
  #connected: Connection.Connected | undefined
  #queue: Array<Outgoing> = []
  #bytes = 0
  #batch: ReadonlyArray<Outgoing> = []
  /** How many of the next messages are sent alone, after a statement with several was refused. */
  #alone = 0

  constructor(settings: PostgresSettings, statements: Statements.Statements, deadlines: Deadlines) {
    this.#settings = settings
    this.#statements = statements
    this.#deadlines = deadlines
  }

  get ready(): boolean {
    return this.#connected !== undefined
  }

  /** How many messages have not been settled. */
  get pending(): number {
    return this.#queue.length + this.#batch.length
  }

  /** Takes a message, or settles it at once: while there is no connection, and when too much waits already. */
  send(outgoing: Outgoing): void {
    const { maxPending, maxPendingBytes } = this.#settings
    if (this.#connected === undefined) {
      return outgoing.settled(failure("Unavailable", new Error("there is no connection to PostgreSQL")))
    }
    const { size } = outgoing.form
    const full = this.pending >= maxPending || (this.pending > 0 && this.#bytes + size > maxPendingBytes)
    if (full) return outgoing.settled(failure("Unavailable", new Error("too much waits for PostgreSQL")))
    this.#bytes += size
    this.#queue.push(outgoing)
    this.#drain()
  }

  /** PostgreSQL does not answer. */
  onDeadline(): void {
    this.#connected?.lose(new Error("PostgreSQL does not answer"))
  }

  /** Publishes over one connection after the other; to be forked once. */
  run(
    open: Effect.Effect<Connection.Connected, unknown, Scope.Scope>,
    schedule: Connection.Reconnection,
    sink: ConnectionSink
  ): Effect.Effect<never> {
    const session = (up: () => void): Effect.Effect<never, unknown, Scope.Scope> =>
      Effect.gen({ self: this }, function* () {
        const connected = yield* open
        this.#connected = connected
        up()
        return yield* Effect.ensuring(
          connected.lost,
          Effect.sync(() => this.#lost())
        )
      })
    return keep(session, schedule, sink)
  }

  #lost(): void {
    this.#connected = undefined
    const outgoing = [...this.#batch, ...this.#queue]
    this.#batch = []
    this.#queue = []
    this.#bytes = 0
    this.#alone = 0
    // Whether what was under way is committed nobody knows.
    const error = failure("Unavailable", new Error("the connection to PostgreSQL was lost"))
    for (const { settled } of outgoing) settled(error)
  }

  #drain(): void {
    const connected = this.#connected
    if (connected === undefined || this.#batch.length > 0 || this.#queue.length === 0) return
    const batch = this.#next()
    this.#batch = batch
    const { text, values } = this.#statement(batch)
    const deadline = this.#deadlines.set(this.#settings.answerTimeout, this)
    const settle = (error: unknown): void => {
      this.#deadlines.cancel(deadline)
      if (this.#batch !== batch) return
      if (error !== undefined && !Statements.isRefusal(error)) return connected.lose(error)
      this.#batch = []
      if (error !== undefined && batch.length > 1) {
        // One of them is to blame: none was committed, each gets its own statement.
        this.#alone = batch.length
        this.#queue = [...batch, ...this.#queue]
      } else {
        const failed = error === undefined ? undefined : failure("Rejected", error)
        for (const { form, settled } of batch) {
          this.#bytes -= form.size
          settled(failed)
        }
      }
      this.#drain()
    }
    connected.query(text, values).then(
      () => settle(undefined),
      (error) => settle(error ?? new Error("refused"))
    )
  }

  /** Takes what can leave in one statement. */
  #next(): ReadonlyArray<Outgoing> {
    const [first] = this.#queue
    let count = 1
    if (this.#alone > 0) {
      this.#alone--
    } else if (first?.form._tag === "Note") {
      const { stored, channel } = first
      // PostgreSQL delivers equal notifications of one transaction only once. Stored ones differ by their numbers.
      const seen = !stored ? new Set([first.form.text]) : undefined
      let bytes = first.form.size
      for (; count < Math.min(this.#queue.length, maxBatch); count++) {
        const { form, ...other } = this.#queue[count]!
        if (form._tag !== "Note" || other.stored !== stored || (stored && other.channel !== channel)) break
        if (seen?.has(form.text) === true || bytes + form.size > maxBatchBytes) break
        seen?.add(form.text)
        bytes += form.size
      }
    }
    return this.#queue.splice(0, count)
  }

  #statement(batch: ReadonlyArray<Outgoing>): Statements.Statement {
    const [{ channel, form, stored }] = batch as readonly [Outgoing]
    if (form._tag === "Attachment" || batch.length === 1) {
      return Statements.statement(this.#statements, channel, form, stored)
    }
    const { append, notify } = this.#statements
    const texts = batch.map((outgoing) => (outgoing.form as { readonly text: string }).text)
    return stored
      ? { text: append, values: [channel, texts] }
      : { text: notify, values: [batch.map((outgoing) => outgoing.channel), texts] }
  }
}
