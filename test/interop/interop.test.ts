/** The client suites of `npm run conformance` wherever something of ours takes part, as tests. */
import { afterAll, describe, it } from "@effect/vitest"
import { official } from "../conformance/targets/official.ts"
import { ours } from "../conformance/targets/ours.ts"
import { officialClient } from "./officialClient.ts"
import { ourClient } from "./ourClient.ts"
import { scriptedSuites } from "./scripted.ts"
import { scriptedTarget } from "./ScriptedServer.ts"
import { clientSuites } from "./suites.ts"

const ourServer = ours()
const officialServer = official()

afterAll(() => Promise.all([ourServer.stop(), officialServer.stop()]))

let serial = 0

for (const [target, suites] of [
  [ourServer, clientSuites(officialClient)],
  [officialServer, clientSuites(ourClient)],
  [ourServer, clientSuites(ourClient)],
  [scriptedTarget, scriptedSuites(ourClient)]
] as const) {
  for (const suite of suites) {
    describe(`${suite.name}, ${target.name}`, { concurrent: true }, () => {
      for (const each of suite.cases) {
        it(each.title, { retry: suite.timed ? 2 : 0 }, () => each.run(target, `vitest-${++serial}`))
      }
    })
  }
}
