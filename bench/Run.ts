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
  /** Rounds of a scenario. */
  readonly rounds: (scenario: Scenario) => number
  /** Factor for the length of rounds. */
  readonly scale: number
  /** Directory for a CPU profile of each measured round, or a heap snapshot where memory is measured; both distort the figures. */
  readonly profile: string | undefined
  readonly pinning: Child.Pinning | undefined
  readonly progress: (line: string) => void
}

interface Session {
  readonly mark: (gc: boolean) => Promise<Mark>
  /** Asks every process of the generator. */
  readonly load: <A>(ask: LoadAsk) => Promise<ReadonlyArray<A>>
  readonly server: (ask: ServerAsk) => Promise<unknown>
  readonly prepare: (scenario: Scenario) => Promise<void>
  readonly stop: () => Promise<void>
}

const files = {
  server: new URL("process/server.ts", import.meta.url),
  load: new URL("process/load.ts", import.meta.url)
}

const startSession = async (scenario: Scenario, server: Server, { pinning, scale }: Options): Promise<Session> => {
  const allEvents = scenario.allEvents ?? false
  const host = Child.start(server.runtime?.host ?? files.server, [server.module], pinning?.server, server.runtime?.node)
  // More processes than free CPUs would only take turns on them.
  const count = Math.max(1, Math.min(scenario.generators ?? 1, pinning?.load.length ?? 1))
  const loads = Array.from({ length: count }, (_, index) =>
    Child.start(files.load, [String(index), String(count)], pinning?.load[index])
  )
  const stop = async () => {
    // The generator first: it takes a lost connection for a failure.
    for (const load of loads) await load.stop()
    await host.stop()
  }
  const ask = <A>(ask: ServerAsk) => host.ask<A>(ask)
  const load = <A>(ask: LoadAsk) => Promise.all(loads.map((load) => load.ask<A>(ask)))
  let port: number
  try {
    if (scenario.subject === "client") {
      port = await loads[0]!.ask<number>({ _tag: "listen", scenario: scenario.name } satisfies LoadAsk)
      await ask({ _tag: "start", options: { allEvents, port } })
    } else {
      port = await ask<number>({ _tag: "start", options: { allEvents, port: undefined } })
    }
  } catch (error) {
    await stop()
    throw error
  }
  return {
    mark: async (gc) => ({ ...(await ask<Omit<Mark, "at">>({ _tag: "mark", gc })), at: performance.now() }),
    load,
    server: ask,
    prepare: async ({ name }) => void (await load({ _tag: "prepare", scenario: name, port, scale })),
    stop
  }
}

// Connections dropped by the last round, garbage, late writes: none of it may fall into the next measurement.
const quiesce = async (session: Session) => {
  let last = await session.mark(false)
  for (let i = 0; i < 50; i++) {
    await new Promise((resolve) => setTimeout(resolve, 40))
    const now = await session.mark(false)
    if (now.cpu - last.cpu < 2000) return
    last = now
  }
}

/** What several processes report, as one. */
const together = (loads: ReadonlyArray<Load>): Load => ({
  operations: loads.reduce((sum, load) => sum + load.operations, 0),
  elapsed: Math.max(...loads.map((load) => load.elapsed)),
  cpu: Math.max(...loads.map((load) => load.cpu)),
  latency: loads.find((load) => load.latency !== undefined)?.latency
})

const measure = async (
  scenario: Scenario,
  session: Session,
  scale: number,
  profile: string | undefined
): Promise<Sample> => {
  await quiesce(session)
  if (profile !== undefined && !scenario.gc) await session.server({ _tag: "startProfile" })
  const before = await session.mark(scenario.gc)
  const load = together(await session.load<Load>({ _tag: "measure", milliseconds: scenario.duration * scale }))
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

interface Entry {
  readonly server: Server
  session: Session | undefined
  error: string | undefined
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const one = async (scenario: Scenario, entries: ReadonlyArray<Entry>, options: Options): Promise<Outcome> => {
  const rounds = options.rounds(scenario)
  const samples = new Map<Entry, Array<Sample>>(entries.map((entry) => [entry, []]))
  const attempt = async (entry: Entry, act: () => Promise<void>): Promise<void> => {
    if (entry.error !== undefined) return
    try {
      await act()
    } catch (error) {
      entry.error = messageOf(error)
    }
  }
  const open = (entry: Entry) =>
    attempt(entry, async () => {
      entry.session ??= await startSession(scenario, entry.server, options)
      await entry.session.prepare(scenario)
    })
  const close = async (entry: Entry) => {
    await entry.session?.stop()
    entry.session = undefined
  }
  options.progress(`${scenario.name}: ${rounds} rounds`)
  if (!scenario.fresh) for (const entry of entries) await open(entry)
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[(i + round) % entries.length]!
      if (scenario.fresh) await open(entry)
      await attempt(entry, async () => {
        const profile =
          options.profile === undefined
            ? undefined
            : join(options.profile, `${scenario.name}-${entry.server.name}-${round + 1}`)
        samples.get(entry)!.push(await measure(scenario, entry.session!, options.scale, profile))
      })
      if (scenario.fresh || entry.error !== undefined) await close(entry)
    }
  }
  return {
    scenario,
    series: entries.map((entry) => ({ server: entry.server.name, samples: samples.get(entry)!, error: entry.error }))
  }
}

/**
 * Runs scenarios of one group, one after the other, on the same processes. Servers take turns within each round, and each round starts
 * with another one. Never rejects; a server that failed is left out from then on.
 */
export const group = async (
  scenarios: ReadonlyArray<Scenario>,
  serversOf: (scenario: Scenario) => ReadonlyArray<Server>,
  options: Options
): Promise<ReadonlyArray<Outcome>> => {
  const all = new Map<string, Entry>()
  const entryOf = (server: Server): Entry => {
    const found = all.get(server.name) ?? { server, session: undefined, error: undefined }
    all.set(server.name, found)
    return found
  }
  const outcomes: Array<Outcome> = []
  for (const scenario of scenarios) {
    const entries = serversOf(scenario)
      .filter((server) => server.features.includes(scenario.needs))
      .map(entryOf)
    outcomes.push(await one(scenario, entries, options))
  }
  for (const { session } of all.values()) await session?.stop()
  return outcomes
}
