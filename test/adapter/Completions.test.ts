import { assert, describe, it } from "@effect/vitest"
import { Completions } from "../../src/adapter/Completions.ts"
import type { Published } from "../../src/adapter/ClusterBus.ts"

const published = (offset: string): Published => ({ _tag: "Published", offset })

const offsetOf = (result: Published): string | undefined => (result._tag === "Published" ? result.offset : undefined)

describe("completions", () => {
  it("are told in the order of the calls, whatever is known first", () => {
    const completions = new Completions()
    const told: Array<string | undefined> = []
    const [a, b, c] = ["a", "b", "c"].map(() => completions.add((result) => told.push(offsetOf(result))))
    completions.settle(c!, published("3"))
    assert.isTrue(completions.isNext(a!))
    completions.settle(b!, published("2"))
    assert.deepStrictEqual(told, [])
    completions.settle(a!, published("1"))
    assert.deepStrictEqual(told, ["1", "2", "3"])
    assert.strictEqual(completions.size, 0)
  })

  it("are told once: what is said first counts", () => {
    const completions = new Completions()
    const told: Array<string | undefined> = []
    const a = completions.add((result) => told.push(offsetOf(result)))
    completions.settle(a, published("1"))
    completions.settle(a, published("2"))
    assert.deepStrictEqual(told, ["1"])
  })

  it("take calls from whoever is told, behind those before", () => {
    const completions = new Completions()
    const told: Array<string> = []
    const a = completions.add(() => {
      told.push("a")
      completions.settle(
        completions.add(() => told.push("c")),
        published("3")
      )
    })
    const b = completions.add(() => told.push("b"))
    completions.settle(b, published("2"))
    completions.settle(a, published("1"))
    assert.deepStrictEqual(told, ["a", "b", "c"])
  })

  it("stay small over a long time in which they are never empty", () => {
    const completions = new Completions()
    let told = 0
    let last = completions.add(() => told++)
    for (let i = 0; i < 10_000; i++) {
      const next = completions.add(() => told++)
      completions.settle(last, published("1"))
      last = next
    }
    assert.strictEqual(told, 10_000)
    assert.strictEqual(completions.size, 1)
    completions.settleAll(published("2"))
    assert.strictEqual(told, 10_001)
  })
})
