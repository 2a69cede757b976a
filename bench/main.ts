/**
 * The benchmark beside the official packages: `npm run bench -- [--quick] [--only NAME] [--server NAME] [--rounds N] [--json]
 * [--write] [--profile DIR] [--micro]`. How it measures is in `bench/README.md`.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { cpus, loadavg } from "node:os"
import { createRequire } from "node:module"
import { resolve } from "node:path"
import { parseArgs } from "node:util"
import * as Child from "./process/Child.ts"
import * as Native from "./process/Native.ts"
import * as Report from "./Report.ts"
import * as Run from "./Run.ts"
import { clients } from "./clients/all.ts"
import { scenarios } from "./scenarios/all.ts"
import type { Scenario } from "./Scenario.ts"
import type { Server } from "./servers/Server.ts"
import { servers as known } from "./servers/all.ts"

const { values: options } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    micro: { type: "boolean", default: false },
    list: { type: "boolean", default: false },
    only: { type: "string", multiple: true },
    profile: { type: "string" },
    quick: { type: "boolean", default: false },
    rounds: { type: "string" },
    server: { type: "string", multiple: true },
    write: { type: "boolean", default: false }
  }
})

const native = Native.server()
const servers = typeof native === "string" ? known : [...known, native]

const choose = <A extends { readonly name: string }>(
  all: ReadonlyArray<A>,
  names: ReadonlyArray<string> | undefined
) => {
  for (const name of names ?? []) {
    if (!all.some((one) => one.name === name)) {
      console.error(`no such name: ${name}; there are ${all.map((one) => one.name).join(", ")}`)
      process.exit(2)
    }
  }
  return names === undefined ? all : all.filter((one) => names.includes(one.name))
}

const rounds = options.rounds === undefined ? undefined : Number(options.rounds)
if (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0)) {
  console.error("--rounds takes a positive integer")
  process.exit(2)
}

if (
  options.write &&
  (options.quick || options.profile !== undefined || options.only !== undefined || options.server !== undefined)
) {
  console.error("--write takes a whole run, without --quick, --only, --server and --profile: RESULTS.md is one table")
  process.exit(2)
}

const profile = options.profile === undefined ? undefined : resolve(options.profile)
if (profile !== undefined) mkdirSync(profile, { recursive: true })

if (options.list) {
  for (const { name, about } of [...scenarios, ...servers, ...clients]) console.log(`${name.padEnd(16)} ${about}`)
  process.exit(0)
}

if (options.micro) {
  const micro = await import("./micro/main.ts")
  await micro.run((line) => console.log(line))
  process.exit(0)
}

const version = (require: NodeJS.Require, name: string): string =>
  (JSON.parse(readFileSync(require.resolve(`${name}/package.json`), "utf8")) as { readonly version: string }).version

const here = createRequire(import.meta.url)
const pinning = Child.pinning()
const startLoad = loadavg()[0]!
const startDate = new Date().toISOString().slice(0, 16).replace("T", " ") + " UTC"
const started = performance.now()

/** Who takes part: of the servers or clients, those asked for by name, else those with something to say. */
const serversOf = (scenario: Scenario): ReadonlyArray<Server> => {
  const all = scenario.subject === "client" ? clients : servers
  return options.server === undefined
    ? all.filter((server) => server.only === undefined || server.only.includes(scenario.name))
    : all.filter((server) => options.server!.includes(server.name))
}

const runOptions: Run.Options = {
  rounds: (scenario) => rounds ?? (options.quick ? (scenario.fresh ? 1 : 2) : scenario.rounds),
  profile,
  scale: options.quick ? 0.4 : 1,
  pinning,
  progress: (line) => console.error(`[${((performance.now() - started) / 1000).toFixed(0)} s] ${line}`)
}

choose(servers, options.server)
const chosen = choose(scenarios, options.only)
const outcomes: Array<Run.Outcome> = []
for (const name of new Set(chosen.map((scenario) => scenario.group))) {
  const group = chosen.filter((scenario) => scenario.group === name)
  outcomes.push(...(await Run.group(group, serversOf, runOptions)))
}

const machine: Report.Machine = {
  date: startDate,
  cpu: cpus()[0]?.model ?? "unknown CPU",
  cores: cpus().length,
  load: startLoad,
  pinned:
    pinning === undefined
      ? "not pinned: no taskset, or a single CPU"
      : `measured process on CPU ${pinning.server}, generator on CPU ${pinning.load.join(" and ")}`,
  versions: {
    node: process.versions.node,
    effect: version(here, "effect"),
    "socket.io": version(here, "socket.io"),
    ws: version(here, "ws"),
    "ws of the official server": version(createRequire(here.resolve("engine.io")), "ws")
  },
  command: ["npm run bench", ...(process.argv.length > 2 ? ["--", ...process.argv.slice(2)] : [])].join(" "),
  seconds: (performance.now() - started) / 1000,
  notes: [typeof native === "string" ? native : native.about]
}

const text = Report.markdown(outcomes, machine)
console.log(options.json ? Report.json(outcomes, machine) : text)
if (options.write) {
  writeFileSync(
    new URL("RESULTS.md", import.meta.url),
    `# Results\n\nWritten by \`npm run bench -- --write\`.\n\n${text}\n`
  )
}
if (outcomes.some((outcome) => outcome.series.some((series) => series.error !== undefined))) process.exitCode = 1
