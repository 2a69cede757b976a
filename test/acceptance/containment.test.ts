/**
 * Nothing that a client sends, and nothing that a handler, hook, middleware, finalizer or option of the program does, reaches the process
 * itself; and the server serves on.
 */
import { assert, describe, it } from "@effect/vitest"
import { run } from "./programs/Child.ts"

interface Result {
  readonly uncaught: ReadonlyArray<string>
  readonly served: unknown
  readonly polluted: boolean
  readonly counted: Readonly<Record<string, number>>
  readonly codes: ReadonlyArray<number>
  readonly tooLarge: number
}

describe("a server whose every part fails, and clients that send whatever they like", () => {
  it("nothing becomes an uncaught exception or an unhandled rejection, and the next client is served", async () => {
    const { code, output, result } = await run("hostile.ts")
    assert.strictEqual(code, 0, output)
    const { codes, counted, polluted, served, tooLarge, uncaught } = result as Result
    assert.deepStrictEqual(uncaught, [])
    assert.deepStrictEqual(served, ["still there"])
    assert.isFalse(polluted)
    // The attack did arrive: every kind of it was counted.
    assert.strictEqual(counted["sockets"], 0)
    assert.isAbove(counted["handlerFailures"]!, 100)
    assert.isAbove(counted["protocolErrors"]!, 30)
    assert.isAbove(counted["invalidPayloads"]!, 0)
    assert.isAbove(counted["refused"]!, 15)
    assert.isAbove(tooLarge, 2)
    for (const refusal of [0, 1, 2, 5]) assert.isAbove(codes[refusal]!, 0, `code ${refusal}`)
  })
})
