/**
 * What the compiler says at a wrong call site: short, and with the names that would have been right.
 */
import { execFileSync } from "node:child_process"
import { readdirSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { assert, beforeAll, describe, it } from "vitest"

const folder = fileURLToPath(new URL("../types/errors/", import.meta.url))
const root = fileURLToPath(new URL("../../", import.meta.url))

/** Runs the compiler over the fixtures, all of which are wrong but `calls.ts`, and returns its messages by fixture. */
const compile = (): ReadonlyMap<string, string> => {
  let output = ""
  try {
    execFileSync(`${root}node_modules/.bin/tsc`, ["--noEmit", "--pretty", "false", "-p", `${folder}tsconfig.json`], {
      cwd: root,
      encoding: "utf8"
    })
  } catch (failure) {
    output = String((failure as { readonly stdout: unknown }).stdout)
  }
  const messages = new Map<string, string>()
  let current = ""
  for (const line of output.split("\n")) {
    const start = /^test\/types\/errors\/([\w-]+)\.ts\(\d+,\d+\): error TS\d+: (.*)$/.exec(line)
    if (start === null) {
      if (line !== "") messages.set(current, `${messages.get(current) ?? ""}\n${line.trim()}`)
      continue
    }
    current = start[1]!
    messages.set(current, start[2]!)
  }
  return messages
}

const expected: Readonly<Record<string, ReadonlyArray<string>>> = {
  "wrong-event-name": ['"mesage"', '"message" | "typing" | "upload"'],
  "wrong-handler-name": ['"mesage"', '"message" | "typing" | "upload"'],
  "wrong-argument": ["'string'", "parameter of type 'boolean'"],
  "missing-argument": ["Expected 3 arguments, but got 2"],
  "extra-argument": ["Expected 2 arguments, but got 3"],
  "wrong-ack": ["{ id: string; }", "{ readonly id: number; }"],
  "undeclared-error": ["Unknown", "RoomClosed"],
  "reserved-tag": ["this _tag is reserved for the faults of acknowledgements"],
  "reserved-event": ["this event name is reserved by Socket.IO"],
  "unknown-parameter": ["the path has only the parameters", '"id"'],
  "not-a-schema": ["StringConstructor", "PayloadSchema"]
}

describe("type errors at call sites", () => {
  let messages: ReadonlyMap<string, string>
  beforeAll(() => {
    messages = compile()
  })

  it("every fixture is expected, and nothing else fails", () => {
    const fixtures = readdirSync(folder).filter((file) => file.endsWith(".ts") && file !== "calls.ts")
    assert.deepStrictEqual(fixtures.map((file) => file.slice(0, -3)).sort(), Object.keys(expected).sort())
    assert.deepStrictEqual([...messages.keys()].sort(), Object.keys(expected).sort())
  })

  for (const [fixture, texts] of Object.entries(expected)) {
    it(`${fixture} is told in a few words`, () => {
      const message = messages.get(fixture) ?? ""
      for (const text of texts) assert.include(message, text)
      const first = message.split("\n")[0]!
      assert.isAtMost(first.length, 300, first)
      assert.notInclude(message, "~effect-socketio", "the brand is no news to a user")
    })
  }
})
