/**
 * The suites of `npm run conformance` against our own server, as tests. The command runs them against the official packages too; here
 * it is checked that the runner and the official target hold each other to account.
 */
import { afterAll, assert, describe, it } from "@effect/vitest"
import { calm, engineSuite } from "./Case.ts"
import { type Outcome, run } from "./Runner.ts"
import { engineSuites, socketSuites } from "./suites.ts"
import { official } from "./targets/official.ts"
import { ours } from "./targets/ours.ts"
import { ask } from "./raw/Http.ts"

const target = ours()

afterAll(() => target.stop())

let serial = 0

for (const suite of [...engineSuites, ...socketSuites]) {
  // Suites run one after the other, so that those about time are not disturbed by load of our own making.
  describe(suite.name, { concurrent: true }, () => {
    for (const each of suite.cases) {
      it(each.title, { retry: suite.timed ? 2 : 0 }, () => each.run(target, `vitest-${++serial}`))
    }
  })
}

const outcomes = async (suites: Parameters<typeof run>[1]): Promise<ReadonlyArray<Outcome>> => {
  const all: Array<Outcome> = []
  const server = official()
  await run(server, suites, { concurrency: 4, report: (outcome) => all.push(outcome) })
  await server.stop()
  return all
}

describe("the runner", () => {
  it("a difference that is out of date is a failure", async () => {
    const suite = engineSuite("stated", calm, [
      {
        title: "as stated",
        run: async () => assert.fail("the official server is held to what is stated of it"),
        official: { because: "a reason", instead: async () => undefined }
      },
      {
        title: "no longer as stated",
        run: async () => undefined,
        official: { because: "a reason", instead: async () => assert.fail("it does better now") }
      },
      {
        title: "the same",
        run: async ({ server }) => assert.strictEqual((await ask(server.endpoint)).status, 400)
      }
    ])
    const [stated, outdated, same] = await outcomes([suite])
    assert.deepStrictEqual([stated?.passed, stated?.difference], [true, "a reason"])
    assert.deepStrictEqual([outdated?.passed, outdated?.difference], [false, "a reason"])
    assert.deepStrictEqual([same?.passed, same?.difference], [true, undefined])
  })
})
