import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as ErrorSink from "../../src/socket/ErrorSink.ts"
import { InvalidPayload } from "../../src/socket/SocketError.ts"

interface Line {
  readonly level: string
  readonly message: unknown
  readonly cause: Cause.Cause<unknown>
}

/** What the default sink logs for reports. */
const logged = Effect.fnUntraced(function* (reports: ReadonlyArray<ErrorSink.HandlerReport>) {
  const lines: Array<Line> = []
  const logger = Logger.make<unknown, void>(({ logLevel, message, cause }) => {
    lines.push({ level: logLevel, message, cause })
  })
  const sink = yield* ErrorSink.ErrorSink
  yield* Effect.forEach(reports, sink, { discard: true }).pipe(Effect.provide(Logger.layer([logger])))
  return lines
})

const report = (stage: ErrorSink.Stage, cause: Cause.Cause<unknown>, event?: string): ErrorSink.HandlerReport => ({
  cause,
  stage,
  event,
  socketId: "abc",
  namespace: "/chat"
})

describe("the default error sink", () => {
  it.effect("logs failures of the program as errors, with their cause", () =>
    Effect.gen(function* () {
      const bug = Cause.die(new Error("bug"))
      const lines = yield* logged([
        report("event", bug, "message"),
        report("connection", bug),
        report("middleware", bug),
        report("disconnect", bug),
        report("adapter", bug)
      ])
      assert.deepStrictEqual(
        lines.map(({ level, message }) => [level, String(message)]),
        [
          ["Error", `effect-socketio: the handler of "message" failed`],
          ["Error", "effect-socketio: the connection handler failed"],
          ["Error", "effect-socketio: a middleware failed"],
          ["Error", "effect-socketio: a disconnect handler failed"],
          ["Error", "effect-socketio: the adapter failed"]
        ]
      )
      for (const { cause } of lines) assert.isTrue(Cause.hasDies(cause))
    })
  )

  it.effect("logs what peers send as warnings of one line, without values and stack traces", () =>
    Effect.gen(function* () {
      const invalid = new InvalidPayload({ event: "message", path: [0, "room"], message: "Expected string" })
      const missing = new InvalidPayload({ event: "message", path: [], message: "no such event" })
      const lines = yield* logged([
        report("packet", Cause.fail(invalid), "message"),
        report("packet", Cause.fail(missing), "message"),
        report("packet", Cause.fail("too fast"))
      ])
      assert.deepStrictEqual(
        lines.map(({ level, message }) => [level, String(message)]),
        [
          ["Warn", `effect-socketio: the payload of "message" was refused,Expected string at [0][room]`],
          ["Warn", `effect-socketio: the payload of "message" was refused,no such event`],
          ["Warn", "effect-socketio: a packet was refused"]
        ]
      )
      assert.deepStrictEqual(lines[0]!.cause.reasons, [])
    })
  )
})
