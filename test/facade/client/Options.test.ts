import { assert, describe, it } from "vitest"
import { addressOf, engineOptions, type ManagerOptions, urlOf } from "../../../src/facade/client/Options.ts"

describe("the server of options without a URL", () => {
  const page = "https://example.com:8443/shop?x=1"
  const cases: ReadonlyArray<readonly [options: Partial<ManagerOptions>, base: string | undefined, url: string]> = [
    [{}, undefined, "http://localhost"],
    [{}, page, "/"],
    [{ hostname: "a.org" }, undefined, "http://a.org"],
    [{ hostname: "a.org", host: "b.org", port: 3000, secure: true }, undefined, "https://a.org:3000"],
    [{ hostname: "a.org" }, page, "https://a.org"],
    [{ port: 3000 }, page, "https://example.com:3000"],
    [{ secure: false }, page, "http://example.com:8443"],
    [{ secure: true }, "http://example.com/", "https://example.com"]
  ]
  for (const [options, base, url] of cases) {
    it(`${JSON.stringify(options)} on ${base ?? "no page"}`, () => assert.strictEqual(urlOf(options, base), url))
  }
})

describe("the engine's options", () => {
  it("have the defaults where nothing, null or undefined is given", () => {
    const options = engineOptions({ upgrade: undefined, query: null as never, transports: undefined })
    assert.deepStrictEqual(options, engineOptions({}))
    assert.deepStrictEqual(options.transports, ["polling", "websocket"])
    assert.isTrue(options.upgrade)
    assert.isFalse(engineOptions({ upgrade: false }).upgrade)
  })

  it("have the query as text, whatever it was", () => {
    assert.deepStrictEqual(engineOptions({ query: { a: 1, b: true, c: null, d: "&" } }).query, {
      a: "1",
      b: "true",
      c: "null",
      d: "&"
    })
    assert.deepStrictEqual(engineOptions({ query: "a=1&b=%26" }).query, { a: "1", b: "&" })
  })

  it("do not reach a prototype", () => {
    const { query } = engineOptions({ query: JSON.parse('{"__proto__":{"a":1}}') as Record<string, unknown> })
    assert.deepStrictEqual(Object.keys(query ?? {}), ["__proto__"])
    assert.strictEqual(Object.getPrototypeOf(query), Object.prototype)
  })
})

describe("the address", () => {
  it("is the URL's, with the path of the options", () => {
    const options: Partial<ManagerOptions> = { path: "/my-path/" }
    const withSlash = addressOf("http://a.org/nsp?x=1", options, engineOptions(options), undefined)
    assert.deepStrictEqual(withSlash, { secure: false, host: "a.org", path: "/my-path/", query: { x: "1" } })
    const bare = { path: "my-path", addTrailingSlash: false, query: { y: 2 } }
    assert.deepStrictEqual(addressOf("wss://a.org:1/nsp?x=1", bare, engineOptions(bare), undefined), {
      secure: true,
      host: "a.org:1",
      path: "/my-path",
      query: { y: "2" }
    })
  })
})
