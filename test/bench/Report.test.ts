import { assert, describe, it } from "@effect/vitest"
import * as Report from "../../bench/Report.ts"
import type { Outcome } from "../../bench/Run.ts"
import type { Figure, Scenario } from "../../bench/Scenario.ts"

const less: Figure = { key: "cpu", title: "cpu", unit: "µs", goals: { official: 0.5 }, read: () => undefined }
const more: Figure = { ...less, key: "rate", goals: { official: 1.5 }, better: "more" }
const spread: Figure = { ...less, key: "p99", goals: { official: "spread" } }

const outcome = (figure: Figure, ours: ReadonlyArray<number>, official: ReadonlyArray<number>): Outcome => {
  const scenario = { name: "x", about: "about", figures: [figure] } as unknown as Scenario
  const series = (server: string, values: ReadonlyArray<number>) => ({
    server,
    samples: values.map((value) => ({
      figures: { [figure.key]: value },
      load: { operations: 1, elapsed: 1, cpu: 1 },
      busy: 1
    }))
  })
  return { scenario, series: [series("ours", ours), series("official", official)] }
}

const verdict = (figure: Figure, ours: ReadonlyArray<number>, official: ReadonlyArray<number>) =>
  Report.verdict(outcome(figure, ours, official), figure, "ours", "official")

describe("verdicts of the benchmark", () => {
  it("meet an upper bound at the bound, and say by how much it was missed", () => {
    assert.deepStrictEqual(verdict(less, [5, 5], [10, 10]), { met: true, text: "met" })
    assert.deepStrictEqual(verdict(less, [6, 6], [10, 10]), { met: false, text: "missed by 20 %" })
  })

  it("turn round where more is better", () => {
    assert.strictEqual(verdict(more, [16], [10])?.met, true)
    assert.deepStrictEqual(verdict(more, [12], [10]), { met: false, text: "missed by 20 %" })
  })

  it("compare with the spread of the baseline where that is the goal", () => {
    assert.strictEqual(verdict(spread, [11, 11, 11], [8, 10, 12])?.met, true)
    assert.strictEqual(verdict(spread, [13, 13, 13], [8, 10, 12])?.met, false)
  })

  it("are silent about what has no goal or was not measured", () => {
    assert.isUndefined(Report.verdict(outcome(less, [1], [1]), less, "ours", "ws"))
    assert.isUndefined(verdict(less, [], [10]))
  })

  it("stand in the table beside their goals", () => {
    const machine: Report.Machine = {
      date: "today",
      cpu: "cpu",
      cores: 2,
      load: 0,
      pinned: "",
      versions: {},
      command: "",
      seconds: 1,
      notes: ["a note"]
    }
    const text = Report.markdown([outcome(less, [6], [10])], machine)
    assert.match(text, /\| cpu +\| official \| <= 0\.50 \| 0\.60 \(0\.60–0\.60\) missed by 20 % \| +– \|/)
    assert.include(text, "0 of 1 goals met.")
    assert.include(text, "a note")
  })
})
