/**
 * Publishing without being a node: over connections of a pool, taken for a moment each, one message after the other so that their order is kept.
 */
import { AdapterError } from "../Adapter.ts"
import { type Body, emitterUid } from "../ClusterMessage.ts"
import type { PostgresPool } from "./PostgresConnection.ts"
import * as Encoding from "./PostgresEncoding.ts"
import * as Names from "./PostgresNames.ts"
import * as Options from "./PostgresOptions.ts"
import * as Statements from "./PostgresStatements.ts"

/** Options with the names, meanings and defaults of `@socket.io/postgres-emitter`, and our own. */
export interface EmitterOptions extends Pick<
  Options.PostgresOptions,
  "channelPrefix" | "tableName" | "payloadThreshold" | "logTableName" | "maxMessageSize" | "maxPending"
> {
  /** Whether events are kept in the log, so that recovered sockets get them, too. The servers must have connection state recovery on. Default false. */
  readonly recovery?: boolean | undefined
}

interface Waiting {
  readonly text: string
  readonly values: Array<unknown>
  readonly settled: (error: AdapterError | undefined) => void
}

const failure = (reason: "Unavailable" | "Rejected", cause: unknown): AdapterError =>
  new AdapterError({ reason, operation: "emit", cause })

/** Publishes to namespaces in order. */
export class Emission {
  readonly #pool: PostgresPool
  readonly #settings: Options.PostgresSettings
  readonly #statements: Statements.Statements
  readonly #recovery: boolean
  #queue: Array<Waiting> = []
  #busy = false

  constructor(pool: PostgresPool, options: EmitterOptions = {}) {
    this.#pool = pool
    this.#settings = Options.settings(options)
    this.#statements = Statements.make(this.#settings)
    this.#recovery = options.recovery === true
  }

  /** The channel of a namespace. */
  channel(namespace: string): Names.ChannelName {
    return Names.channelOf(this.#settings.channelPrefix, namespace)
  }

  /**
   * Sends a message; `settled` is told once, with an error or without. Fails with `Rejected` where it cannot be written, `Unavailable` where
   * PostgreSQL cannot be reached or too much waits for it.
   */
  send(namespace: string, channel: string, body: Body, settled: (error: AdapterError | undefined) => void): void {
    const message = { uid: emitterUid, nsp: namespace, body }
    const form = Encoding.write(message, { settings: this.#settings, nspInPacket: true })
    if (form instanceof AdapterError) return settled(form)
    if (this.#queue.length >= this.#settings.maxPending) {
      return settled(failure("Unavailable", new Error("too much waits for PostgreSQL")))
    }
    const stored = this.#recovery && Encoding.isStored(message)
    this.#queue.push({ ...Statements.statement(this.#statements, channel, form, stored), settled })
    this.#drain()
  }

  #drain(): void {
    const next = this.#busy ? undefined : this.#queue.shift()
    if (next === undefined) return
    this.#busy = true
    const end = (error: AdapterError | undefined): void => {
      this.#busy = false
      next.settled(error)
      this.#drain()
    }
    this.#pool.query(next.text, next.values).then(
      () => end(undefined),
      (cause) => end(failure(Statements.isRefusal(cause) ? "Rejected" : "Unavailable", cause))
    )
  }
}
