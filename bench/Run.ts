/** Runs a scenario on several servers in turns. */
import { join } from "node:path"
import type { Load, Mark, Scenario } from "./Scenario.ts"
import * as Child from "./process/Child.ts"
import type { Ask as LoadAsk } from "./process/load.ts"
import type { Ask as ServerAsk } from "./process/server.ts"
import type { Server } from "./servers/Server.ts"

/** One measured round of one server. */
export interface Sample {
  readonly figures: { readonly [key: string]: number | undefined }
  readonly load: Load
  /** Server CPU time by elapsed time: 1 is a full core. */
  readonly busy: number
}

/** All rounds of one server; a failed server has an error and the samples up to it. */
export interface Series {
  readonly server: string
  readonly samples: ReadonlyArray<Sample>
  readonly error?: string | undefined
}

/** All servers of one scenario. */
export interface Outcome {
  readonly scenario: Scenario
  readonly series: ReadonlyArray<Series>
}

/** How long and how often. */
export interface Options {
  readonly rounds: number | undefined
  /** Factor for the length of rounds. */
  readonly scale: number
  /** Directory for a CPU profile of each measured round, or a heap snapshot where memory is measured; both distort the figures. */
  readonly profile: string | undefined
  readonly pinning: { readonly server: number; readonly load: number } | undefined
  readonly progress: (line: string) => void
}

interface Session {
  readonly mark: (gc: boolean) => Promise<Mark>
  readonly load: <A>(ask: LoadAsk) => Promise<A>
  readonly server: (ask: ServerAsk) => Promise<unknown>
  readonly stop: () => Promise<void>
}

const files = {
  server: new URL("process/server.ts", import.meta.url),
  load: new URL("process/load.ts", import.meta.url)
}

const startSession = async (scenario: Scenario, server: Server, { pinning, scale }: Options): Promise<Session> => {
  const host = Child.start(files.server, [server.module], pinning?.server)
  let load: Child.Child | undefined
  const stop = async () => {
    // The generator first: it takes a lost connection for a failure.
    await load?.stop()
    await host.stop()
  }
  const ask = <A>(ask: ServerAsk) => host.ask<A>(ask)
  try {
    const port = await ask<number>({ _tag: "start" })
    load = Child.start(files.load, [scenario.name, String(port)], pinning?.load)
    await load.ask({ _tag: "prepare", scale } satisfies LoadAsk)
  } catch (error) {
    await stop()
    throw error
  }
  const running = load
  return {
    mark: async (gc) => ({ ...(await ask<Omit<Mark, "at">>({ _tag: "mark", gc })), at: performance.now() }),
    load: (ask) => running.ask(ask),
    server: ask,
    stop
  }
}

// Connections dropped by the last round, garbage, late writes: none of it may fall into the next measurement.
const quiesce = async (session: Session) => {
  let last = await session.mark(false)
  for (let i = 0; i < 50; i++) {
    await new Promise((resolve) => setTimeout(resolve, 60))
    const now = await session.mark(false)
    if (now.cpu - last.cpu < 2000) return
    last = now
  }
}

const measure = async (
  scenario: Scenario,
  session: Session,
  scale: number,
  profile: string | undefined
): Promise<Sample> => {
  await quiesce(session)
  if (profile !== undefined && !scenario.gc) await session.server({ _tag: "startProfile" })
  const before = await session.mark(scenario.gc)
  const load = await session.load<Load>({ _tag: "measure", milliseconds: scenario.duration * scale })
  if (scenario.gc) await quiesce(session)
  const after = await session.mark(scenario.gc)
  if (profile !== undefined) {
    await session.server(
      scenario.gc
        ? { _tag: "heapSnapshot", file: `${profile}.heapsnapshot` }
        : { _tag: "stopProfile", file: `${profile}.cpuprofile` }
    )
  }
  await session.load({ _tag: "settle" })
  return {
    figures: Object.fromEntries(scenario.figures.map((figure) => [figure.key, figure.read(before, after, load)])),
    load,
    busy: (after.cpu - before.cpu) / 1000 / (after.at - before.at)
  }
}

/** Servers take turns within each round, and each round starts with another one. Never rejects. */
export const scenario = async (
  scenario: Scenario,
  servers: ReadonlyArray<Server>,
  options: Options
): Promise<Outcome> => {
  const rounds = options.rounds ?? scenario.rounds
  const entries = servers
    .filter((server) => server.features.includes(scenario.needs))
    .map((server) => ({
      server,
      samples: new Array<Sample>(),
      session: undefined as Session | undefined,
      error: undefined as string | undefined
    }))
  for (let round = 0; round < rounds; round++) {
    options.progress(`${scenario.name}: round ${round + 1} of ${rounds}`)
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[(i + round) % entries.length]!
      if (entry.error !== undefined) continue
      try {
        entry.session ??= await startSession(scenario, entry.server, options)
        const profile =
          options.profile === undefined
            ? undefined
            : join(options.profile, `${scenario.name}-${entry.server.name}-${round + 1}`)
        entry.samples.push(await measure(scenario, entry.session, options.scale, profile))
      } catch (error) {
        entry.error = error instanceof Error ? error.message : String(error)
      }
      if (scenario.fresh || entry.error !== undefined) {
        await entry.session?.stop()
        entry.session = undefined
      }
    }
  }
  for (const entry of entries) await entry.session?.stop()
  return {
    scenario,
    series: entries.map(({ server, samples, error }) => ({ server: server.name, samples, error }))
  }
}
