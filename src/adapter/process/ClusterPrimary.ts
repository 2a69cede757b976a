/**
 * The primary's part of `NodeClusterAdapter`: it passes the messages of its workers on. It holds no sockets itself.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import cluster, { type Worker } from "node:cluster"
import { AdapterError } from "../Adapter.ts"
import { ClusterRouter, type RouterCounters, type RouterPeer } from "./ClusterRouter.ts"
import type { AdapterMessage } from "./ClusterSource.ts"

/** Limits of the primary. */
export interface ClusterPrimaryOptions {
  /** Messages that may wait for one worker that does not read; further ones are dropped for it, and counted. Default 100,000. */
  readonly maxPending?: number | undefined
}

/** What a primary has counted. */
export interface PrimaryCounters extends RouterCounters {
  /** Messages that a worker did not get because it had stopped reading. */
  dropped: number
}

/** A primary at work. */
export interface ClusterPrimary {
  readonly counters: Readonly<PrimaryCounters>
  /** Nodes that are known: one for each namespace of each worker. */
  readonly size: number
}

class WorkerPeer implements RouterPeer {
  readonly #worker: Worker
  readonly #limit: number
  readonly #dropped: () => void
  #pending = 0

  constructor(worker: Worker, limit: number, dropped: () => void) {
    this.#worker = worker
    this.#limit = limit
    this.#dropped = dropped
  }

  readonly #sent = (): void => {
    this.#pending--
  }

  send(message: AdapterMessage): void {
    if (!this.#worker.isConnected()) return
    if (this.#pending >= this.#limit) return this.#dropped()
    this.#pending++
    try {
      // With a callback no failure is an event, and a worker that dies meanwhile ends nothing here.
      this.#worker.send(message, this.#sent)
    } catch {
      this.#pending--
      this.#dropped()
    }
  }
}

/** A primary at work, and how it stops. */
export interface UnsafePrimary extends ClusterPrimary {
  close(): void
}

let current: UnsafePrimary | undefined

/**
 * Begins to pass on the messages of the workers, of those forked before too. There is one primary in a process: asked again, it gives the
 * same one. Throws where the process is a worker itself.
 *
 * Workers that are forked from now on get the serialization "advanced", which carries binary; a program that has chosen one keeps it.
 */
export const makeUnsafe = (options: ClusterPrimaryOptions = {}): UnsafePrimary => {
  if (!cluster.isPrimary) throw new Error("only the primary of a cluster can pass on the messages of its workers")
  if (current !== undefined) return current
  if (cluster.settings.serialization === undefined) cluster.setupPrimary({ serialization: "advanced" })
  const limit = options.maxPending ?? 100_000
  let dropped = 0
  const known = new WeakMap<Worker, WorkerPeer>()
  const peerOf = (worker: Worker): WorkerPeer => {
    let peer = known.get(worker)
    if (peer === undefined) {
      peer = new WorkerPeer(worker, limit, () => {
        dropped++
      })
      known.set(worker, peer)
    }
    return peer
  }
  const router = new ClusterRouter(function* () {
    for (const worker of Object.values(cluster.workers ?? {})) if (worker !== undefined) yield peerOf(worker)
  })
  const onMessage = (worker: Worker, message: unknown): void => router.receive(peerOf(worker), message)
  const onGone = (worker: Worker): void => router.gone(peerOf(worker))
  cluster.on("message", onMessage)
  cluster.on("disconnect", onGone)
  cluster.on("exit", onGone)
  current = {
    get counters() {
      return { ...router.counters, dropped }
    },
    get size() {
      return router.size
    },
    close() {
      cluster.off("message", onMessage)
      cluster.off("disconnect", onGone)
      cluster.off("exit", onGone)
      current = undefined
    }
  }
  return current
}

/** Passes on the messages of the workers until the scope closes. Fails with `Unsupported` in a worker. See {@link makeUnsafe}. */
export const make = (options?: ClusterPrimaryOptions): Effect.Effect<ClusterPrimary, AdapterError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.try({
      try: () => makeUnsafe(options),
      catch: (cause) => new AdapterError({ reason: "Unsupported", operation: "setupPrimary", cause })
    }),
    (primary) => Effect.sync(() => primary.close())
  )
