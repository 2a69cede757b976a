/** The suites as values: cases over a server that a target starts, each with what the official server is known to do otherwise. */
import type { EngineOptions, EngineServer, SocketOptions, SocketServer, Target } from "./Target.ts"

/** What a case is given. */
export interface Context<Server> {
  readonly server: Server
  readonly target: Target
  /** A string no other case of this run has: for namespaces, rooms and payloads of its own. */
  readonly unique: string
  /** Runs when the case is over, in whatever way. */
  cleanup(finalizer: () => void | Promise<void>): void
}

/** A way in which the official implementation is known to differ, and the proof. */
export interface Difference<Server> {
  /** Why, in a sentence; with the defect's number of reference/socketio-4x.md where it has one. */
  readonly because: string
  /** Asserts what the official server does instead; when this fails, the statement is out of date and the case fails. */
  readonly instead: (context: Context<Server>) => Promise<void>
}

/** One case. */
export interface Case<Server> {
  readonly title: string
  readonly run: (context: Context<Server>) => Promise<void>
  readonly official?: Difference<Server>
  /** For cases of the official client: in what it is known to be different, as `run` then asserts. Listed like a difference. */
  readonly client?: string | undefined
}

/** Cases that share a server. */
export interface Suite {
  readonly name: string
  /** The subject is time: run apart from heavy suites, and again when the machine itself stood still meanwhile. */
  readonly timed: boolean
  readonly cases: ReadonlyArray<Runnable>
}

/** A case bound to how its server is started. */
export interface Runnable {
  readonly title: string
  /** What the official implementation is known to do otherwise on this target. */
  readonly difference: (target: Target) => string | undefined
  readonly run: (target: Target, unique: string) => Promise<void>
}

const bind = <Server>(start: (target: Target) => Promise<Server>, each: Case<Server>): Runnable => ({
  title: each.title,
  difference: (target) => each.client ?? (target.official ? each.official?.because : undefined),
  run: async (target, unique) => {
    const finalizers: Array<() => void | Promise<void>> = []
    const server = await start(target)
    try {
      const body = target.official && each.official !== undefined ? each.official.instead : each.run
      await body({ server, target, unique, cleanup: (finalizer) => finalizers.push(finalizer) })
    } finally {
      for (const finalizer of finalizers.reverse()) await finalizer()
    }
  }
})

/** Options of a suite besides those of its server. */
export interface SuiteOptions {
  readonly timed?: boolean
}

/** Cases against the Engine.IO echo server. */
export const engineSuite = (
  name: string,
  options: EngineOptions,
  cases: ReadonlyArray<Case<EngineServer>>,
  { timed = false }: SuiteOptions = {}
): Suite => ({ name, timed, cases: cases.map((each) => bind((target) => target.engine(options), each)) })

/** Cases against the Socket.IO program. */
export const socketSuite = (
  name: string,
  options: SocketOptions,
  cases: ReadonlyArray<Case<SocketServer>>,
  { timed = false }: SuiteOptions = {}
): Suite => ({ name, timed, cases: cases.map((each) => bind((target) => target.socket(options), each)) })

/** Timings that never matter within a case. */
export const calm = { pingInterval: 25_000, pingTimeout: 20_000, connectTimeout: 45_000 } as const

/** The timings the reference was observed with. */
export const brisk = { pingInterval: 300, pingTimeout: 200, connectTimeout: 1_000 } as const
