import { assert, describe, it } from "@effect/vitest"
import * as EngineUrl from "../../src/transport/EngineUrl.ts"

const options = { base: undefined, path: "/socket.io", addTrailingSlash: true, query: undefined }

const made = (url: string, scheme: "http" | "ws" = "http", more: object = {}): string => {
  const address = EngineUrl.parse(url, { ...options, ...more })
  return EngineUrl.isInvalid(address) ? "invalid" : EngineUrl.make(address, scheme, [])
}

describe("the address of the server", () => {
  for (const [url, http, ws] of [
    ["http://a.com", "http://a.com/socket.io/", "ws://a.com/socket.io/"],
    ["https://a.com:443/chat", "https://a.com/socket.io/", "wss://a.com/socket.io/"],
    ["ws://a.com:80", "http://a.com/socket.io/", "ws://a.com/socket.io/"],
    ["wss://a.com:8080", "https://a.com:8080/socket.io/", "wss://a.com:8080/socket.io/"],
    ["http://[::1]:3000", "http://[::1]:3000/socket.io/", "ws://[::1]:3000/socket.io/"],
    ["localhost:3000", "https://localhost:3000/socket.io/", "wss://localhost:3000/socket.io/"],
    ["a.com", "https://a.com/socket.io/", "wss://a.com/socket.io/"],
    ["http://a.com?x=1&y=%20", "http://a.com/socket.io/?x=1&y=%20", "ws://a.com/socket.io/?x=1&y=%20"]
  ] as const) {
    it(url, () => {
      assert.strictEqual(made(url), http)
      assert.strictEqual(made(url, "ws"), ws)
    })
  }

  it("may be relative to the page", () => {
    const base = "http://page.com:8080/some/where?q=1"
    assert.strictEqual(made("/", "http", { base }), "http://page.com:8080/socket.io/")
    assert.strictEqual(made("", "http", { base }), "http://page.com:8080/socket.io/?q=1")
    assert.strictEqual(made("//other.com", "http", { base }), "http://other.com/socket.io/")
    assert.strictEqual(made("other.com:81", "http", { base }), "http://other.com:81/socket.io/")
  })

  for (const url of [
    "",
    "/",
    "ftp://a.com",
    "http://",
    "http://a b",
    "javascript://alert",
    "file:///etc",
    "constructor://a"
  ]) {
    it(`is none: ${JSON.stringify(url)}`, () => assert.strictEqual(made(url), "invalid"))
  }

  it("has a path with or without the trailing slash", () => {
    assert.strictEqual(made("http://a", "http", { path: "/x/" }), "http://a/x/")
    assert.strictEqual(made("http://a", "http", { path: "x", addTrailingSlash: false }), "http://a/x")
  })
})
