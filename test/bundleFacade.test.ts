/** The browser bundles of the plain client, run as scripts. */
import { createContext, runInContext } from "node:vm"
import { gzipSync } from "node:zlib"
import { assert, beforeAll, describe, it, onTestFinished } from "vitest"
import * as msgpackParser from "socket.io-msgpack-parser"
import { type Built, bundleAll } from "../scripts/bundle.ts"
import type { Io, LookupOptions, Socket } from "../src/facade/client.ts"
import { next, official } from "./facade/client/servers.ts"

let bundles: ReadonlyArray<Built> = []

beforeAll(async () => {
  bundles = await bundleAll()
})

const bundle = (file: string): Built => {
  const found = bundles.find((each) => each.file === file)
  if (found === undefined) throw new Error(`no ${file}`)
  return found
}

/** What a page has, and what a script left there. */
const load = (file: string): Readonly<Record<string, unknown>> => {
  const { AbortController, ArrayBuffer, Blob, Uint8Array, URL, WebSocket, fetch } = globalThis
  const { clearTimeout, queueMicrotask, setTimeout } = globalThis
  const page = {
    ...{ AbortController, ArrayBuffer, Blob, Uint8Array, URL, WebSocket, fetch },
    ...{ TextDecoder, TextEncoder, URLSearchParams },
    ...{ clearTimeout, queueMicrotask, setTimeout, atob, btoa },
    location: { href: "http://127.0.0.1/" }
  }
  const given = new Set(Object.keys(page))
  const context = createContext(page)
  runInContext(bundle(file).code, context)
  return Object.fromEntries(Object.entries(context).filter(([name]) => !given.has(name)))
}

const open = (io: Io, url: string, options: LookupOptions = {}): Socket => {
  const socket = io(url, { reconnectionDelay: 10, ...options })
  onTestFinished(() => {
    socket.io.reconnection(false)
    socket.disconnect()
  })
  return socket
}

const scripts = ["socket.io.js", "socket.io.min.js", "socket.io.msgpack.min.js"]

describe("the browser bundles", () => {
  it("are the files that servers hand out, each with its source map", () => {
    assert.deepStrictEqual(
      bundles.map(({ file }) => file),
      ["socket.io.js", "socket.io.min.js", "socket.io.esm.min.js", "socket.io.msgpack.min.js"]
    )
    for (const { code, file, map } of bundles) {
      assert.match(code, new RegExp(`^/\\*! effect-socketio [\\d.]+`), file)
      assert.strictEqual(code.trimEnd().split("\n").at(-1), `//# sourceMappingURL=${file}.map`)
      const { sources } = JSON.parse(map) as { readonly sources: ReadonlyArray<string> }
      assert.isTrue(
        sources.some((source) => source.endsWith("src/facade/client/Manager.ts")),
        file
      )
    }
  })

  it("have neither Effect nor Node code nor other packages in them", () => {
    for (const { file, inputs } of bundles) {
      const others = inputs
        .map(([path]) => path)
        .filter((path) => !/^(?:src\/(?:facade\/client|transport|protocol)[/.]|<stdin>)/.test(path))
      assert.deepStrictEqual(others, [], file)
    }
  })

  it("carry one default parser", () => {
    const has = (file: string, path: string): boolean => bundle(file).inputs.some(([input]) => input.endsWith(path))
    assert.isTrue(has("socket.io.msgpack.min.js", "MsgpackCodec.ts"))
    assert.isFalse(has("socket.io.min.js", "MsgpackCodec.ts"))
  })

  it("leave only io in the page", () => {
    for (const file of scripts) {
      const left = load(file)
      assert.deepStrictEqual(Object.keys(left), ["io"], file)
      assert.strictEqual((left["io"] as Io).protocol, 5)
    }
  })

  it("the ES module has the exports of effect-socketio/facade/client", async () => {
    const { code } = bundle("socket.io.esm.min.js")
    const exports = (await import(`data:text/javascript,${encodeURIComponent(code)}`)) as object
    assert.deepStrictEqual(Object.keys(exports).sort(), Object.keys(await import("../src/facade/client.ts")).sort())
  })

  it("stay small", () => {
    const size = (file: string): number => gzipSync(bundle(file).code, { level: 9 }).length
    // The official ones: 12.9, 14.8 and 15.4 kB.
    assert.isBelow(size("socket.io.esm.min.js"), 17_000)
    assert.isBelow(size("socket.io.min.js"), 16_900)
    assert.isBelow(size("socket.io.msgpack.min.js"), 18_200)
  })

  for (const file of scripts) {
    it(`${file}: polling, upgrade, binary, acks, reconnection`, async () => {
      const parser = file.includes("msgpack") ? msgpackParser : undefined
      const first = await official(() => undefined, parser === undefined ? {} : { parser })
      const socket = open(load(file)["io"] as Io, first.url)
      await next(socket.io.engine, "upgrade")
      assert.strictEqual(socket.io.engine.transport.name, "websocket")
      const answer = await socket.timeout(2000).emitWithAck("echo", { bytes: new Uint8Array([1, 2]), text: "ñ" })
      assert.strictEqual(answer.text, "ñ")
      assert.instanceOf(answer.bytes, ArrayBuffer)
      assert.deepStrictEqual(new Uint8Array(answer.bytes), new Uint8Array([1, 2]))
      const blob = await socket.timeout(2000).emitWithAck("echo", new Blob(["a"]))
      assert.deepStrictEqual(new Uint8Array(blob), new Uint8Array([97]))
      const disconnected = next(socket, "disconnect")
      first.http.closeAllConnections()
      first.io.engine.close()
      assert.match(String((await disconnected)[0]), /^transport (?:close|error)$/)
      await next(socket, "connect")
      socket.disconnect()
    })
  }
})
