/**
 * The benchmark beside the official packages: `npm run bench -- [--quick] [--only NAME] [--server NAME] [--rounds N] [--json]
 * [--write] [--profile DIR]`. How it measures is in `bench/README.md`.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { cpus, loadavg } from "node:os"
import { createRequire } from "node:module"
import { resolve } from "node:path"
import { parseArgs } from "node:util"
import * as Child from "./process/Child.ts"
import * as Report from "./Report.ts"
import * as Run from "./Run.ts"
import { scenarios } from "./scenarios/all.ts"
import { servers } from "./servers/all.ts"

const { values: options } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    list: { type: "boolean", default: false },
    only: { type: "string", multiple: true },
    profile: { type: "string" },
    quick: { type: "boolean", default: false },
    rounds: { type: "string" },
    server: { type: "string", multiple: true },
    write: { type: "boolean", default: false }
  }
})

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
  for (const { name, about } of [...scenarios, ...servers]) console.log(`${name.padEnd(16)} ${about}`)
  process.exit(0)
}

const version = (require: NodeJS.Require, name: string): string =>
  (JSON.parse(readFileSync(require.resolve(`${name}/package.json`), "utf8")) as { readonly version: string }).version

const here = createRequire(import.meta.url)
const pinning = Child.pinning()
const machine: Report.Machine = {
  date: new Date().toISOString().slice(0, 16).replace("T", " ") + " UTC",
  cpu: cpus()[0]?.model ?? "unknown CPU",
  cores: cpus().length,
  load: loadavg()[0]!,
  pinned:
    pinning === undefined
      ? "not pinned: no taskset, or a single CPU"
      : `server on CPU ${pinning.server}, generator on CPU ${pinning.load}`,
  versions: {
    node: process.versions.node,
    effect: version(here, "effect"),
    "socket.io": version(here, "socket.io"),
    ws: version(here, "ws"),
    "ws of the official server": version(createRequire(here.resolve("engine.io")), "ws")
  },
  command: ["npm run bench", ...(process.argv.length > 2 ? ["--", ...process.argv.slice(2)] : [])].join(" ")
}

const started = performance.now()
const outcomes: Array<Run.Outcome> = []
for (const scenario of choose(scenarios, options.only)) {
  outcomes.push(
    await Run.scenario(scenario, choose(servers, options.server), {
      rounds: rounds ?? (options.quick ? (scenario.fresh ? 1 : 2) : undefined),
      profile,
      scale: options.quick ? 0.4 : 1,
      pinning,
      progress: (line) => console.error(`[${((performance.now() - started) / 1000).toFixed(0)} s] ${line}`)
    })
  )
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
