/**
 * The behaviour of a cluster over any adapter: three servers, clients on each, and everything that has to work between them.
 *
 * A test of an adapter is one call, see `Harness.ts`. The time is real.
 */
import { describe } from "@effect/vitest"
import { answers } from "./cases/Answers.ts"
import { broadcasts } from "./cases/Broadcasts.ts"
import { recoveries } from "./cases/Recovery.ts"
import { utilities } from "./cases/Utilities.ts"
import type { ClusterHarness } from "./Harness.ts"

/** All that adapters have in common, as tests. */
export const clusterSuite = (name: string, harness: ClusterHarness): void => {
  // Most of the time is spent waiting; each test has a keyspace of its own.
  describe(`cluster: ${name}`, { concurrent: true }, () => {
    describe("broadcasts", () => broadcasts(harness))
    describe("utility methods", () => utilities(harness))
    describe("answers", () => answers(harness))
    if (harness.supports.recovery) describe("recovery", () => recoveries(harness))
  })
}
