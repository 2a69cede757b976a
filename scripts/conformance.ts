/**
 * `npm run conformance`: our suites of the two protocols against the official server and ours, then the clients against the
 * servers. The last line is `N passed, N failed`. See docs/conformance.md.
 *
 * Arguments: words, all of which must occur in "target suite title" of a case for it to run; `-v` prints every case.
 */
import { run, type Outcome } from "../test/conformance/Runner.ts"
import { engineSuites, socketSuites } from "../test/conformance/suites.ts"
import { official } from "../test/conformance/targets/official.ts"
import { ours } from "../test/conformance/targets/ours.ts"
import { officialClient } from "../test/interop/officialClient.ts"
import { ourClient } from "../test/interop/ourClient.ts"
import { scriptedSuites } from "../test/interop/scripted.ts"
import { scriptedTarget } from "../test/interop/ScriptedServer.ts"
import { clientSuites } from "../test/interop/suites.ts"
import type { Suite } from "../test/conformance/Case.ts"
import type { Target } from "../test/conformance/Target.ts"

const words = process.argv.slice(2).filter((word) => !word.startsWith("-"))
const verbose = process.argv.includes("-v")

const drivers = [officialClient, ourClient]
const againstServers = [...engineSuites, ...socketSuites, ...drivers.flatMap(clientSuites)]
const plan: ReadonlyArray<readonly [Target, ReadonlyArray<Suite>]> = [
  [official(), againstServers],
  [ours(), againstServers],
  [scriptedTarget, drivers.flatMap(scriptedSuites)]
]

const chosen = (target: Target, suites: ReadonlyArray<Suite>): ReadonlyArray<Suite> =>
  suites.map((suite) => ({
    ...suite,
    cases: suite.cases.filter((each) =>
      words.every((word) => `${target.name} ${suite.name} ${each.title}`.includes(word))
    )
  }))

const outcomes: Array<Outcome> = []
for (const [target, suites] of plan) {
  const started = performance.now()
  const here: Array<Outcome> = []
  await run(target, chosen(target, suites), {
    concurrency: 8,
    report: (outcome) => {
      here.push(outcome)
      const line = `${outcome.passed ? "ok  " : "FAIL"} ${outcome.target} | ${outcome.suite} | ${outcome.title} (${outcome.ms.toFixed(0)} ms${outcome.reruns > 0 ? `, run again ${outcome.reruns} times: the machine stood still` : ""})`
      if (verbose || !outcome.passed || outcome.reruns > 0) console.log(line)
      if (!outcome.passed)
        console.log(String((outcome.failure as Error)?.stack ?? outcome.failure).replace(/^/gm, "       "))
    }
  })
  await target.stop()
  outcomes.push(...here)
  console.log(
    `${target.name}: ${here.filter((each) => each.passed).length} of ${here.length} in ${((performance.now() - started) / 1000).toFixed(1)} s`
  )
}

const differences = outcomes.filter((each) => each.difference !== undefined)
if (differences.length > 0) {
  console.log(`\nWhere the official implementation is known to differ (each held to the behaviour stated here):`)
  for (const each of differences)
    console.log(
      `  ${each.passed ? "as stated" : "NOT AS STATED"} | ${each.suite} | ${each.title}\n      ${each.difference}`
    )
}
const failed = outcomes.filter((each) => !each.passed).length
console.log(`${outcomes.length - failed} passed, ${failed} failed`)
// The official packages leave timers of up to half a minute behind; everything of ours is closed by now.
process.exit(failed === 0 ? 0 : 1)
