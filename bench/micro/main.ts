/** The micro-benchmark: `npm run bench -- --micro`. Nanoseconds for a call, in one process, the two sides in turns. */
import { measure } from "mitata"
import * as Stats from "../Stats.ts"
import type { Case } from "./Case.ts"
import { engine, socket } from "./codecs.ts"
import { cases as rooms } from "./rooms.ts"

const rounds = 3

/** Enough for both sides to be compiled, short enough for a run of half a minute. */
const options = { min_cpu_time: 60_000_000, min_samples: 5 }

/** Takes every result, so that no call can be left out by the compiler. */
let sink: unknown

const median = async (act: () => unknown): Promise<number> => {
  const measured = await measure(() => {
    sink = act()
  }, options)
  if (sink === measured) throw new Error("a call that returns its own measurement")
  return measured.p50
}

const one = async ({ name, official, ours }: Case): Promise<string> => {
  const theirs: Array<number> = []
  const mine: Array<number> = []
  for (let round = 0; round < rounds; round++) {
    theirs.push(await median(official))
    mine.push(await median(ours))
  }
  const ratio = Stats.ratio(mine, theirs)!
  const [left, right] = [Stats.summary(theirs)!, Stats.summary(mine)!]
  const cells = [
    name.padEnd(46),
    left.median.toFixed(left.median < 10 ? 1 : 0).padStart(12),
    right.median.toFixed(right.median < 10 ? 1 : 0).padStart(9),
    `${ratio.median.toFixed(2)} (${ratio.min.toFixed(2)}–${ratio.max.toFixed(2)})`.padStart(19)
  ]
  return `| ${cells.join(" | ")} |`
}

/** Measures every case and gives the lines of a table. */
export const run = async (print: (line: string) => void): Promise<void> => {
  print(`| ${"a call".padEnd(46)} | official, ns |  ours, ns | ours against theirs |`)
  print(`| ${"-".repeat(46)} | -----------: | --------: | ------------------: |`)
  for (const each of [...engine, ...socket, ...rooms]) print(await one(each))
}
