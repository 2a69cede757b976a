/** The client suites, as every client of this repository and the official one pass them, with the plain facade. */
import { afterAll, describe, it } from "@effect/vitest"
import { official } from "../../conformance/targets/official.ts"
import { ours } from "../../conformance/targets/ours.ts"
import { scriptedSuites } from "../../interop/scripted.ts"
import { scriptedTarget } from "../../interop/ScriptedServer.ts"
import { clientSuites } from "../../interop/suites.ts"
import { facadeClient } from "./facadeClient.ts"

const ourServer = ours()
const officialServer = official()

afterAll(() => Promise.all([ourServer.stop(), officialServer.stop()]))

let serial = 0

for (const [target, suites] of [
  [ourServer, clientSuites(facadeClient)],
  [officialServer, clientSuites(facadeClient)],
  [scriptedTarget, scriptedSuites(facadeClient)]
] as const) {
  for (const suite of suites) {
    describe(`${suite.name}, ${target.name}`, { concurrent: true }, () => {
      for (const each of suite.cases) {
        it(each.title, { retry: suite.timed ? 2 : 0 }, () => each.run(target, `facade-${++serial}`))
      }
    })
  }
}
