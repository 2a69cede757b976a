/**
 * What the compiler says at a wrong call of the server: short, and with the names that would have been right.
 */
import { execFileSync } from "node:child_process"
import { readdirSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "vitest"

const folder = fileURLToPath(new URL("../types/server-errors/", import.meta.url))
const root = fileURLToPath(new URL("../../", import.meta.url))

/** Runs the compiler over the fixtures and returns its messages by fixture. */
const compile = (): ReadonlyMap<string, string> => {
  let output = ""
  try {
    const args = ["--noEmit", "--pretty", "false", "-p", `${folder}tsconfig.json`]
    execFileSync(`${root}node_modules/.bin/tsc`, args, { cwd: root, encoding: "utf8" })
  } catch (failure) {
    output = String((failure as { readonly stdout: unknown }).stdout)
  }
  const messages = new Map<string, string>()
  let current = ""
  for (const line of output.split("\n")) {
    const start = /^test\/types\/server-errors\/([\w-]+)\.ts\(\d+,\d+\): (.*)$/.exec(line)
    if (start !== null) current = start[1]!
    if (line !== "") messages.set(current, `${messages.get(current) ?? ""}${start?.[2] ?? line}\n`)
  }
  return messages
}

const expected: Readonly<Record<string, ReadonlyArray<string>>> = {
  "no-ack": ['"said"', '"vote"'],
  "undeclared-error": ["'string'", "'never'"],
  "wrong-argument": ["'number'", "'string'"],
  "wrong-emit": ['"sad"', '"said" | "vote"'],
  "wrong-listen": ['"mesage"', '"message" | "typing"'],
  "wrong-result": ["{ id: string; }", "{ readonly id: number; }"]
}

describe("type errors of the server", () => {
  it("name what would be right, in few lines", () => {
    const fixtures = readdirSync(folder).filter((file) => file.endsWith(".ts") && file !== "calls.ts")
    assert.sameMembers(
      fixtures.map((file) => file.slice(0, -3)),
      Object.keys(expected)
    )
    const messages = compile()
    assert.sameMembers(Array.from(messages.keys()), Object.keys(expected))
    for (const [fixture, words] of Object.entries(expected)) {
      const message = messages.get(fixture)!
      for (const word of words) assert.include(message, word, fixture)
      assert.isBelow(message.length, 700, message)
    }
  }, 60_000)
})
