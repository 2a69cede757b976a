/** What a scenario is: a load (run in the generator's process) and the figures read from it (in the main process). */

/** State of the measured process at one moment. */
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

/** What the generator reports about one measured round; of several generator processes, all of them together. */
export interface Load {
  /** Operations that completed, all of those that were started. */
  readonly operations: number
  /** Milliseconds from the first operation to the end of the last. */
  readonly elapsed: number
  /** User and system time of the busiest generator process, in microseconds. */
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

/** Which part of the connections a generator process has: the first publishes, all count what they receive. */
export interface Share {
  readonly index: number
  readonly count: number
}

/** The whole load in one process. */
export const whole: Share = { index: 0, count: 1 }

/** How many of so many things fall to a share. */
export const partOf = (total: number, { index, count }: Share): number =>
  Math.floor((total * (index + 1)) / count) - Math.floor((total * index) / count)

/** What a driver is prepared for. */
export interface Target {
  /** The server's port; where a client is measured, the port that {@link Scenario.listen} gave. */
  readonly port: number
  readonly share: Share
  /** Factor for the size of what is too slow for a quick look: 1 in a whole run. */
  readonly scale: number
}

/** What goals are set against. */
export type Baseline = "official" | "ws" | "ws-cork" | "ours-untyped"

/** Upper bound of a ratio (lower bound where more is better), or: as good as the baseline's own spread. */
export type Goal = number | "spread"

/** The goals of our servers by baseline; the same for the Effect API and for the facade that drops the request. */
export type Goals = { readonly [B in Baseline]?: Goal }

/** One figure of a scenario: a line of the table. */
export interface Figure {
  readonly key: string
  readonly title: string
  readonly unit: string
  readonly goals: Goals
  /** Default: less. */
  readonly better?: "less" | "more"
  readonly read: (before: Mark, after: Mark, load: Load) => number | undefined
}

/** What a server must be able to do for a scenario to make sense on it. */
export type Feature = "websocket" | "polling" | "churn" | "contract"

/** One module of `bench/scenarios`. */
export interface Scenario {
  readonly name: string
  readonly about: string
  /** What is measured. Default: a server. */
  readonly subject?: "server" | "client"
  readonly needs: Feature
  /** Scenarios of one group follow each other on the same processes and connections: connecting takes longer than measuring. */
  readonly group: string
  /** Whether each round gets a new server process: needed where memory is measured. */
  readonly fresh: boolean
  /** Whether marks are taken after a forced garbage collection. */
  readonly gc: boolean
  /** Length of a measured round in milliseconds. */
  readonly duration: number
  /** Rounds of a whole run. */
  readonly rounds: number
  /** Whether the server needs all of its handlers; the same in a group. Default: `echo`, `ask` and `publish` only. */
  readonly allEvents?: boolean
  /** The most generator processes that the load can be divided among. Default 1. */
  readonly generators?: number
  readonly figures: ReadonlyArray<Figure>
  /** Opens the port that a measured client connects to; then `prepare` waits for it. */
  readonly listen?: () => Promise<number>
  readonly prepare: (target: Target) => Promise<Driver>
}

/** CPU of the measured process in microseconds for each operation: the main figure of the benchmark. */
export const cpuPerOperation = (title: string, goals: Goals): Figure => ({
  key: "cpu",
  title,
  unit: "µs",
  goals,
  read: (before, after, load) => (after.cpu - before.cpu) / load.operations
})
