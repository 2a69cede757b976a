/**
 * The heap of an idle connection, measured as the benchmark does: in a process of its own, after forced collections. Live bytes hardly
 * vary from run to run; the bounds leave a tenth or more, so that what fails here is an object or a closure more for each connection.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Run from "../../bench/Run.ts"
import { idle } from "../../bench/scenarios/idle.ts"
import { servers } from "../../bench/servers/all.ts"

const bounds = { ours: 5400, "facade-lean": 5300 } as const

describe("an idle connection", () => {
  it.each(Object.entries(bounds))(
    "of %s holds less heap than %i bytes",
    async (name, bound) => {
      const [outcome] = await Run.group([idle], () => servers.filter((server) => server.name === name), {
        rounds: () => 1,
        scale: 0.2,
        profile: undefined,
        pinning: undefined,
        progress: () => {}
      })
      const series = outcome!.series[0]!
      assert.isUndefined(series.error)
      const heap = series.samples[0]!.figures["heap"]!
      assert.isAbove(heap, 1000)
      assert.isBelow(heap, bound)
    },
    60_000
  )
})
