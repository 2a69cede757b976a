import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Http from "node:http"
import { gunzipSync, inflateSync } from "node:zlib"
import * as NodeEngine from "../../src/node/NodeEngine.ts"
import { ask, messageGroup, serve, sidOf } from "./EchoEngine.ts"

const own = (options: NodeEngine.OwnServerOptions = {}) => NodeEngine.layer({ port: 0, host: "127.0.0.1", ...options })

const begin = (url: (query: string) => string) =>
  Effect.map(ask(url("transport=polling")), ({ text }) => url(`transport=polling&sid=${sidOf(text)}`))

/** A GET whose body is left as it was on the wire. */
const raw = (url: string, acceptEncoding?: string) =>
  Effect.callback<{ readonly encoding: string | undefined; readonly body: Buffer }>((resume) => {
    const headers = acceptEncoding === undefined ? {} : { "accept-encoding": acceptEncoding }
    Http.get(url, { headers, agent: false }, (response) => {
      const chunks: Array<Buffer> = []
      response.on("data", (chunk: Buffer) => chunks.push(chunk))
      response.on("end", () =>
        resume(Effect.succeed({ encoding: response.headers["content-encoding"], body: Buffer.concat(chunks) }))
      )
    })
  })

describe("HTTP compression", () => {
  const long = "x".repeat(1023)

  it.live("from 1024 bytes on, gzip before deflate, as the client prefers", () =>
    Effect.gen(function* () {
      const echo = yield* serve()
      const url = yield* begin(echo.url)
      const poll = (text: string, accept?: string, compress = true) => {
        echo.sessions[0]!.write(messageGroup(text), { volatile: false, compress })
        return raw(url, accept)
      }
      for (const [accept, encoding] of [
        ["gzip", "gzip"],
        ["gzip, deflate, br", "gzip"],
        ["deflate", "deflate"],
        ["gzip;q=0.5, deflate;q=0.8", "deflate"],
        ["gzip;q=0, deflate", "deflate"],
        ["*", "gzip"],
        ["GZIP; Q=1", "gzip"]
      ] as const) {
        const answer = yield* poll(long, accept)
        assert.strictEqual(answer.encoding, encoding, accept)
        const plain = encoding === "gzip" ? gunzipSync(answer.body) : inflateSync(answer.body)
        assert.strictEqual(plain.toString(), `4${long}`)
      }
      for (const accept of [undefined, "br", "identity", "gzip;q=0", "*;q=0"]) {
        const answer = yield* poll(long, accept)
        assert.isUndefined(answer.encoding, accept)
        assert.strictEqual(answer.body.toString(), `4${long}`)
      }
      assert.isUndefined((yield* poll(long.slice(1), "gzip")).encoding)
      assert.isUndefined((yield* poll(long, "gzip", false)).encoding)
    }).pipe(Effect.scoped, Effect.provide(own()))
  )

  it.live("can be turned off, and the threshold moved", () =>
    Effect.gen(function* () {
      for (const [httpCompression, encoding] of [
        [false, undefined],
        [{ threshold: 1025 }, undefined],
        [{ threshold: 10 }, "gzip"],
        [true, "gzip"]
      ] as const) {
        yield* Effect.gen(function* () {
          const echo = yield* serve()
          const url = yield* begin(echo.url)
          echo.sessions[0]!.write(messageGroup(long), { volatile: false, compress: true })
          assert.strictEqual((yield* raw(url, "gzip")).encoding, encoding)
        }).pipe(Effect.scoped, Effect.provide(own({ httpCompression })))
      }
    })
  )
})

describe("bodies", () => {
  it.live("one over the limit is answered 413 although it is still being sent", () =>
    Effect.gen(function* () {
      const echo = yield* serve({ maxHttpBufferSize: 1000 })
      const chunked = yield* begin(echo.url)
      const status = yield* Effect.callback<number>((resume) => {
        const request = Http.request(chunked, { method: "POST", agent: false })
        const timer = setInterval(() => request.write("4".repeat(500)), 1)
        request.on("response", (response) => {
          clearInterval(timer)
          request.destroy()
          resume(Effect.succeed(response.statusCode ?? 0))
        })
        request.on("error", () => {})
      })
      assert.strictEqual(status, 413)
      assert.strictEqual(echo.closed[0]?.reason, "transport error")
    }).pipe(Effect.scoped, Effect.provide(own()))
  )

  it.live("a large one that was announced is refused at once and the answer gets through", () =>
    Effect.gen(function* () {
      const echo = yield* serve({ maxHttpBufferSize: 1000 })
      const url = yield* begin(echo.url)
      const answer = yield* ask(url, { method: "POST", body: "4".repeat(5_000_000) })
      assert.strictEqual(answer.status, 413)
      // The connection still serves others.
      assert.strictEqual((yield* ask(echo.url("transport=polling"))).status, 200)
    }).pipe(Effect.scoped, Effect.provide(own()))
  )

  it.live("characters that are cut apart by packets of the network arrive whole", () =>
    Effect.gen(function* () {
      const echo = yield* serve()
      const url = yield* begin(echo.url)
      const bytes = Buffer.from("4ä€😀")
      const status = yield* Effect.callback<number>((resume) => {
        const request = Http.request(url, { method: "POST", agent: false }, (response) => {
          response.resume()
          resume(Effect.succeed(response.statusCode ?? 0))
        })
        let sent = 0
        const timer = setInterval(() => {
          if (sent < bytes.byteLength) return void request.write(bytes.subarray(sent, ++sent))
          clearInterval(timer)
          request.end()
        }, 1)
      })
      assert.strictEqual(status, 200)
      assert.strictEqual((yield* ask(url)).text, "4ä€😀")
    }).pipe(Effect.scoped, Effect.provide(own()))
  )

  it.live("headers of hooks that HTTP does not allow are left out, the answer is not", () =>
    Effect.gen(function* () {
      const echo = yield* serve({
        onHeaders: (headers) => {
          headers["x bad"] = "1"
          headers["x-bad"] = "a\r\nb"
          headers["x-good"] = ["1", "2"]
        }
      })
      const answer = yield* ask(echo.url("transport=polling"))
      assert.strictEqual(answer.status, 200)
      assert.strictEqual(answer.headers.get("x-good"), "1, 2")
      assert.isNull(answer.headers.get("x-bad"))
    }).pipe(Effect.scoped, Effect.provide(own()))
  )
})

describe("paths", () => {
  it("with a trailing slash by prefix, without one by segment", () => {
    for (const [url, path, expected] of [
      ["/engine.io/?EIO=4", "/engine.io/", true],
      ["/engine.io/more?x", "/engine.io/", true],
      ["/engine.io?EIO=4", "/engine.io/", false],
      ["/engine.iox/", "/engine.io/", false],
      ["/engine.io", "/engine.io", true],
      ["/engine.io?EIO=4", "/engine.io", true],
      ["/engine.io/?EIO=4", "/engine.io", true],
      ["/engine.io#x", "/engine.io", true],
      ["/engine.ioX?EIO=4", "/engine.io", false],
      ["/", "/engine.io", false]
    ] as const) {
      assert.strictEqual(NodeEngine.isEnginePath(url, path), expected, `${url} at ${path}`)
    }
  })
})
