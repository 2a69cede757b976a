import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "vitest"

const root = fileURLToPath(new URL("../../..", import.meta.url))

/** What a program of its own prints, found by the package's own name. */
const run = (type: "commonjs" | "module", program: string): unknown => {
  const args = ["--conditions=source", `--input-type=${type}`, "--eval", program]
  const { stderr, stdout } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" })
  assert.strictEqual(stderr, "")
  return JSON.parse(stdout)
}

const tell = `console.log(JSON.stringify([typeof io, io.io === io, io.connect === io, io.protocol, typeof io.Manager, typeof io.Socket,
  io("http://127.0.0.1:1/nsp", { autoConnect: false }).nsp]))`

const expected = ["function", true, true, 5, "function", "function", "/nsp"]

describe("effect-socketio/facade/client", () => {
  it("required, is io itself with the others as its properties", () => {
    assert.deepStrictEqual(run("commonjs", `const io = require("effect-socketio/facade/client"); ${tell}`), expected)
    const named = `const { io, Manager } = require("effect-socketio/facade/client"); if (io.Manager !== Manager) throw 1; ${tell}`
    assert.deepStrictEqual(run("commonjs", named), expected)
  })

  it("imported, is named or the default", () => {
    assert.deepStrictEqual(run("module", `import { io } from "effect-socketio/facade/client"; ${tell}`), expected)
    assert.deepStrictEqual(run("module", `import io from "effect-socketio/facade/client"; ${tell}`), expected)
    assert.deepStrictEqual(
      run("module", `import * as all from "effect-socketio/facade/client"; const io = all.connect; ${tell}`),
      expected
    )
  })

  it("leaves a process that has done its work end by itself", () => {
    const program = `import { io } from "effect-socketio/facade/client"
      const socket = io("http://127.0.0.1:1", { reconnection: false })
      socket.on("connect_error", (error) => console.log(JSON.stringify(error.message)))`
    assert.strictEqual(run("module", program), "xhr poll error")
  })
})
