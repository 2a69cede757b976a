import { assert, describe, it } from "@effect/vitest"
import * as Stats from "../../bench/Stats.ts"

describe("Stats", () => {
  it("interpolates quantiles and does not need sorted samples", () => {
    assert.strictEqual(Stats.quantile([3, 1, 2], 0.5), 2)
    assert.strictEqual(Stats.quantile([4, 1, 2, 3], 0.5), 2.5)
    assert.strictEqual(Stats.quantile([10, 20], 0), 10)
    assert.strictEqual(Stats.quantile([10, 20], 1), 20)
  })

  it("has no summary of nothing", () => {
    assert.isUndefined(Stats.summary([]))
    assert.deepStrictEqual(Stats.summary([2, 9, 1]), { median: 2, min: 1, max: 9 })
  })

  it("takes ratios within rounds, so that a slow round changes nothing", () => {
    assert.deepStrictEqual(Stats.ratio([5, 500, 5], [10, 1000, 10]), { median: 0.5, min: 0.5, max: 0.5 })
  })

  it("leaves out rounds that one of the two has no figure for", () => {
    assert.deepStrictEqual(Stats.ratio([5, undefined, 3, 7], [10, 10, 0]), { median: 0.5, min: 0.5, max: 0.5 })
    assert.isUndefined(Stats.ratio([1], []))
  })
})
