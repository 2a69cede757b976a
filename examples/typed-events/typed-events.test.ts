import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { MemoryNetwork, Testing } from "effect-socketio/testing"
import * as SocketClient from "effect-socketio/client"
import { intrude, listen, talk } from "./client.ts"
import { Chat } from "./contract.ts"
import { ChatLive } from "./server.ts"

const chat = Testing.layer(ChatLive)

describe("examples/typed-events", () => {
  it.effect("talks, is heard, and fails as the contract says", () =>
    Effect.gen(function* () {
      const messages = yield* listen(Testing.url, "bob")
      const heard = yield* messages.pipe(
        Stream.take(1),
        Stream.runCollect,
        Effect.forkChild({ startImmediately: true })
      )
      const { closed, id, size } = yield* talk(Testing.url, "ada").pipe(MemoryNetwork.passTime())
      assert.isAbove(id, 0)
      assert.strictEqual(size, 1000)
      assert.strictEqual(closed, "attic is closed")
      assert.deepStrictEqual(yield* Fiber.join(heard), [["ada", "hello"]])
    }).pipe(Effect.scoped, Effect.provide(chat))
  )

  it.effect("refuses whoever has no token, with the contract's refusal", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* intrude(Testing.url), "name:secret")
    }).pipe(Effect.scoped, Effect.provide(chat))
  )

  it.effect("asks the lobby once a typing client has paused for 300 ms", () =>
    Effect.gen(function* () {
      const votes: Array<string> = []
      const bob = yield* SocketClient.connect(Chat, { url: Testing.url, auth: { token: "bob:secret" } })
      yield* bob.on("vote", (question) =>
        Effect.as(
          Effect.sync(() => votes.push(question)),
          true
        )
      )
      const ada = yield* SocketClient.connect(Chat, { url: Testing.url, auth: { token: "ada:secret" }, forceNew: true })
      for (let i = 0; i < 5; i++) {
        yield* ada.emit("typing", true)
        yield* MemoryNetwork.adjust("299 millis")
      }
      assert.deepStrictEqual(votes, [])
      yield* MemoryNetwork.adjust("1 millis")
      assert.deepStrictEqual(votes, ["wait for ada?"])
    }).pipe(Effect.scoped, Effect.provide(chat))
  )
})
