/** What the programs of a cluster are told, and what they tell. */

/** Whose adapter and balancer a process runs: this package's plain server, its Effect server, or the official packages. */
export type Kind = "ours" | "official" | "effect"

/** A cluster to start, in the environment variable `CLUSTER`. */
export interface ClusterConfig {
  readonly primary: "ours" | "official"
  readonly workers: ReadonlyArray<Kind>
  /** Whether the primary balances one port; else each worker listens on its own. */
  readonly sticky?:
    | {
        readonly method?: string | undefined
        readonly cert?: string
        readonly key?: string
        /** Where its workers make their sockets. */
        readonly folder?: string
      }
    | undefined
}

/** A worker that takes clients. */
export interface WorkerReport {
  readonly id: number
  readonly pid: number
  /** Its own port; 0 behind a primary that balances. */
  readonly port: number
}

/** What the primary tells its parent. */
export type Report =
  | { readonly type: "primary"; readonly port: number }
  | { readonly type: "worker"; readonly worker: WorkerReport }
  | { readonly type: "exit"; readonly id: number }
  | { readonly type: "state"; readonly state: unknown }

/** What the parent asks of the primary. */
export type Command =
  | { readonly type: "fork"; readonly kind: Kind }
  | { readonly type: "state" }
  /** Has a worker send values over its channel, as a program with mistakes would. */
  | { readonly type: "inject"; readonly worker: number; readonly values: ReadonlyArray<unknown> }
