import { assert, describe, it } from "@effect/vitest"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { read } from "./architecture/Imports.ts"
import { partOf, rows, type SourceFile, violations } from "./architecture/Rules.ts"

const root = fileURLToPath(new URL("../src", import.meta.url))

const sources: ReadonlyArray<SourceFile> = readdirSync(root, { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts"))
  .map((path) => ({ path: path.replaceAll("\\", "/"), source: readFileSync(join(root, path), "utf8") }))

const plant = (path: string, source: string): ReadonlyArray<string> => violations([{ path, source }])

describe("imports between the folders of src", () => {
  it("follow the table of the design", () => {
    assert.isAbove(sources.length, 10)
    assert.deepStrictEqual(violations(sources), [])
  })

  it("covers every file by a row", () => {
    assert.deepStrictEqual(
      sources.filter(({ path }) => partOf(path) === undefined).map(({ path }) => path),
      []
    )
  })
})

describe("the rules reject", () => {
  const cases: ReadonlyArray<readonly [what: string, path: string, source: string]> = [
    ["Effect in the protocol", "protocol/A.ts", `import * as Effect from "effect/Effect"`],
    ["types of Effect in the protocol", "protocol/A.ts", `import type * as Effect from "effect/Effect"`],
    ["an upward import", "protocol/A.ts", `import { a } from "../engine/Session.ts"`],
    ["an upward type", "protocol/A.ts", `import type { Session } from "../engine/Session.ts"`],
    ["an import type in a signature", "protocol/A.ts", `export type A = import("../engine/Session.ts").Session`],
    ["a re-export", "engine/A.ts", `export * from "../socket/SocketServer.ts"`],
    ["a dynamic import", "engine/A.ts", `export const a = () => import("../node/NodeEngine.ts")`],
    ["a computed dynamic import", "engine/A.ts", `export const a = (name: string) => import(name)`],
    ["require", "engine/A.ts", `const ws = require("ws")`],
    ["Node outside node", "socket/A.ts", `import { createServer } from "node:http"`],
    ["ws outside node", "engine/A.ts", `import { WebSocket } from "ws"`],
    ["an official package", "node/A.ts", `import { Server } from "socket.io"`],
    ["an official helper", "adapter/A.ts", `import type { Adapter } from "socket.io-adapter"`],
    ["a barrel", "engine/A.ts", `import { Effect } from "effect"`],
    ["an area's barrel", "engine/A.ts", `import { HttpRouter } from "effect/http"`],
    ["Schema in the client", "client/SocketClient.ts", `import * as Schema from "effect/Schema"`],
    ["contract values in the client", "client/SocketClient.ts", `import { make } from "../contract/Event.ts"`],
    ["an in-memory adapter in socket", "socket/A.ts", `import { layer } from "../adapter/InMemoryAdapter.ts"`],
    ["the protocol in contract", "contract/A.ts", `import { a } from "../protocol/SocketPacket.ts"`],
    ["more of runtime in contract", "contract/A.ts", `import * as Turn from "../runtime/Turn.ts"`],
    ["the Scheduler outside Turn", "runtime/Runner.ts", `import * as Scheduler from "effect/Scheduler"`],
    ["Effect in the plain client", "facade/client.ts", `import * as Effect from "effect/Effect"`],
    ["values of Node in the server's facade", "facade/server/A.ts", `import { Duplex } from "node:stream"`],
    ["msgpack outside its codec", "protocol/SocketCodec.ts", `import { encode } from "notepack.io"`],
    ["a relative import without extension", "engine/A.ts", `import { a } from "./B"`],
    ["a folder without a row", "utils/A.ts", `export const a = 1`],
    ["an import out of src", "engine/A.ts", `import { a } from "../../test/A.ts"`],
    ["a timer", "socket/A.ts", `setTimeout(() => {}, 1)`],
    ["the wall clock", "engine/A.ts", `export const now = () => Date.now()`],
    ["a date of now", "engine/A.ts", `export const now = () => new Date()`],
    ["a global timer", "runtime/A.ts", `globalThis.setImmediate(() => {})`]
  ]
  for (const [what, path, source] of cases) {
    it(what, () => assert.lengthOf(plant(path, source), 1, `${path}: ${source}`))
  }

  it("folders that import each other", () => {
    const found = violations([
      { path: "runtime/A.ts", source: `import { a } from "../protocol/A.ts"` },
      { path: "protocol/A.ts", source: `import { b } from "../runtime/A.ts"` }
    ])
    assert.include(found, "folders import each other: runtime -> protocol -> runtime")
  })

  it("nothing that is only written in comments, strings or templates", () => {
    const source =
      '// import "socket.io"\nexport const a = \'import "ws"\'\nexport const b = `import ${"x"} from "node:fs"`'
    assert.deepStrictEqual(plant("engine/A.ts", source), [])
  })
})

describe("the rules accept", () => {
  const cases: ReadonlyArray<readonly [what: string, path: string, source: string]> = [
    ["one's own folder", "engine/A.ts", `import { a } from "./B.ts"`],
    ["a lower folder", "engine/A.ts", `import { a } from "../protocol/B.ts"`],
    ["types of the contract in the client", "client/A.ts", `import type { Event } from "../contract/Event.ts"`],
    ["inline types", "client/A.ts", `import { type Event } from "../contract/Event.ts"`],
    ["the Scheduler in Turn", "runtime/Turn.ts", `import * as Scheduler from "effect/Scheduler"`],
    ["the platform by condition", "client/A.ts", `import { platform } from "#client-platform"`],
    ["ws in node", "node/A.ts", `import { WebSocketServer } from "ws"`],
    ["the adapter interface in socket", "socket/A.ts", `import type { Adapter } from "../adapter/Adapter.ts"`],
    ["types of Node in the server's facade", "facade/server/A.ts", `import type { Duplex } from "node:stream"`],
    ["a given date", "engine/A.ts", `export const epoch = new Date(0)`]
  ]
  for (const [what, path, source] of cases) {
    it(what, () => assert.deepStrictEqual(plant(path, source), []))
  }
})

describe("reading imports", () => {
  it("tells types from values", () => {
    const { imports } = read(
      "a.ts",
      `import type { A } from "./a.ts"; import { type B } from "./b.ts"; import { type C, d } from "./c.ts"; import "./e.ts"`
    )
    assert.deepStrictEqual(imports.map(({ specifier, typeOnly }) => [specifier, typeOnly]).sort(), [
      ["./a.ts", true],
      ["./b.ts", true],
      ["./c.ts", false],
      ["./e.ts", false]
    ])
  })

  it("refuses a file that does not parse", () => {
    assert.throws(() => read("a.ts", "import {"))
  })

  it("has a row for each folder", () => {
    assert.isTrue(Object.hasOwn(rows, "transport"))
  })
})
