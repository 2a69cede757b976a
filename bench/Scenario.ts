/** What a scenario is: a load (run in the generator's process) and the figures read from it (in the main process). */

/** State of the server's process at one moment. */
export interface Mark {
  /** Milliseconds on the main process's clock. */
  readonly at: number
  /** User and system time of the whole process so far, in microseconds. */
  readonly cpu: number
  /** Bytes of live and dead objects on the JavaScript heap; only live ones after a gc mark. */
  readonly heap: number
  /** Bytes of memory outside the heap that JavaScript objects hold (buffers included). */
  readonly external: number
  /** Resident set size in bytes. */
  readonly rss: number
}

/** What the generator reports about one measured round. */
export interface Load {
  /** Operations that completed, all of those that were started. */
  readonly operations: number
  /** Milliseconds from the first operation to the end of the last. */
  readonly elapsed: number
  /** The generator's own user and system time, in microseconds. */
  readonly cpu: number
  /** Milliseconds from request to answer, where the scenario measures it. */
  readonly latency?: { readonly p50: number; readonly p99: number } | undefined
}

/** A load that is connected to one server and can be run any number of times. */
export interface Driver {
  /** Brings the server's code paths to a steady state; also checks each answer byte for byte. `scale` shortens it. */
  readonly warmUp: (scale: number) => Promise<void>
  /** Runs for about that long, then waits until all that was started has been answered. */
  readonly measure: (milliseconds: number) => Promise<{
    readonly operations: number
    readonly latencies?: Float64Array | undefined
  }>
  /** Releases what a measured round holds, after the server's closing mark. */
  readonly settle: () => Promise<void>
}

/** The servers that goals are set against. `ours` is one for our facade, which is to cost little more. */
export type Baseline = "official" | "ws" | "ws-cork" | "ours"

/** Upper bounds for the ratio of our servers to a baseline: one for all of them, or one for each. */
export type Goals = { readonly [B in Baseline]?: number | { readonly [server: string]: number } }

/** The facade's share of the Effect API: at most 15 % more. */
export const facadeToEffect = { facade: 1.15, "facade-lean": 1.15 }

/** One figure of a scenario: a line of the table. */
export interface Figure {
  readonly key: string
  readonly title: string
  readonly unit: string
  readonly goals: Goals
  readonly read: (before: Mark, after: Mark, load: Load) => number | undefined
}

/** What a server must be able to do for a scenario to make sense on it. */
export type Feature = "websocket" | "polling"

/** One module of `bench/scenarios`. */
export interface Scenario {
  readonly name: string
  readonly about: string
  readonly needs: Feature
  /** Whether each round gets a new server process: needed where memory is measured. */
  readonly fresh: boolean
  /** Whether marks are taken after a forced garbage collection. */
  readonly gc: boolean
  /** Length of a measured round in milliseconds. */
  readonly duration: number
  /** Most rounds worth their time. */
  readonly rounds: number
  readonly figures: ReadonlyArray<Figure>
  readonly prepare: (port: number) => Promise<Driver>
}

/** Server CPU in microseconds for each operation: the main figure of the benchmark. */
export const cpuPerOperation = (title: string, goals: Goals): Figure => ({
  key: "cpu",
  title,
  unit: "µs",
  goals,
  read: (before, after, load) => (after.cpu - before.cpu) / load.operations
})
