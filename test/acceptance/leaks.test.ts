/** What connections leave behind when they go, in whatever state and by whatever way: nothing. */
import { assert, describe, it } from "@effect/vitest"
import { run } from "./programs/Child.ts"

interface Result {
  readonly left: unknown
  readonly heaps: ReadonlyArray<number>
  readonly connected: number
}

describe("2,000 connections that use everything and go", () => {
  it("every registry is empty, no deadline is left, and the heap does not grow", { timeout: 60_000 }, async () => {
    const { code, output, result } = await run("churn.ts", "--expose-gc")
    assert.strictEqual(code, 0, output)
    const { connected, heaps, left } = result as Result
    assert.isAbove(connected, 2000)
    assert.deepStrictEqual(left, {
      sessions: 0,
      clients: 0,
      deadlines: 0,
      sockets: 0,
      connectedAndNotDisconnected: 0,
      namespaces: ["/", "/slow"],
      rooms: [],
      members: 0,
      admitting: 0
    })
    // The first round fills caches. After it 1,600 connections come and go: one object kept of each would be more than this.
    assert.isBelow(heaps.at(-1)! - heaps[0]!, 1_000_000, String(heaps))
  })
})
