import { assert, describe, it } from "vitest"
import { Emitter } from "../../../src/facade/client/Emitter.ts"
import type { DefaultEventsMap } from "../../../src/facade/client/TypedEvents.ts"
import { uncaught } from "./servers.ts"

const make = () => new Emitter<DefaultEventsMap, DefaultEventsMap>()

describe("the emitter", () => {
  it("calls listeners in order, with the emitter as this", () => {
    const emitter = make()
    const calls: Array<unknown> = []
    emitter.on("a", function (this: unknown, ...args) {
      calls.push([this === emitter, ...args])
    })
    emitter.on("a", () => calls.push("second"))
    emitter.emit("a", 1, 2)
    assert.deepStrictEqual(calls, [[true, 1, 2], "second"])
  })

  it("removes one registration of a listener, all of an event, or all", () => {
    const emitter = make()
    const calls: Array<string> = []
    const listener = () => calls.push("a")
    emitter.on("a", listener).on("a", listener).on("b", listener)
    emitter.off("a", listener).emit("a")
    assert.lengthOf(calls, 1)
    emitter.removeAllListeners("a").emit("a")
    assert.lengthOf(calls, 1)
    assert.isTrue(emitter.hasListeners("b"))
    emitter.off()
    assert.isFalse(emitter.hasListeners("b"))
  })

  it("ignores the removal of what is not there", () => {
    const emitter = make()
    const listener = () => undefined
    emitter
      .on("a", listener)
      .off("a", () => undefined)
      .removeEventListener("b", listener)
      .removeListener("b")
    assert.deepStrictEqual(emitter.listeners("a"), [listener])
    assert.deepStrictEqual(emitter.listeners("b"), [])
  })

  it("calls once once, also when it is emitted from inside, and it can be removed before", () => {
    const emitter = make()
    let calls = 0
    emitter.once("a", () => {
      calls++
      emitter.emit("a")
    })
    emitter.emit("a").emit("a")
    assert.strictEqual(calls, 1)
    const listener = () => calls++
    emitter.once("a", listener).off("a", listener).emit("a")
    assert.strictEqual(calls, 1)
    emitter.addEventListener("a", listener).once("a", listener).emit("a").emit("a")
    assert.strictEqual(calls, 4)
  })

  it("does not call what was added or skip what was removed while it is emitting", () => {
    const emitter = make()
    const calls: Array<string> = []
    const second = () => calls.push("second")
    emitter.on("a", () => {
      emitter.off("a", second).on("a", () => calls.push("third"))
    })
    emitter.on("a", second)
    emitter.emit("a")
    assert.deepStrictEqual(calls, ["second"])
  })

  it("takes names of Object.prototype, symbols and numbers for what they are", () => {
    const emitter = make()
    const calls: Array<string> = []
    const name = Symbol("a")
    emitter.emit("__proto__").emit("constructor")
    emitter.on("__proto__", () => calls.push("proto"))
    emitter.on("1", () => calls.push("one"))
    emitter.on(name as never, () => void calls.push("symbol"))
    emitter
      .emit("__proto__")
      .emit(1 as never)
      .emit(name as never)
    assert.deepStrictEqual(calls, ["proto", "one", "symbol"])
  })

  it("goes on after a listener that throws, whose error is thrown later", async () => {
    const emitter = make()
    const calls: Array<string> = []
    const error = new Error("listener")
    const found = await uncaught(async () => {
      emitter.on("a", () => {
        throw error
      })
      emitter.on("a", () => calls.push("second"))
      emitter.emit("a")
      calls.push("after")
    })
    assert.deepStrictEqual(calls, ["second", "after"])
    assert.deepStrictEqual(found, [error])
  })
})
