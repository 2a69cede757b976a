import { assert, describe, it } from "vitest"
import * as Url from "../../../src/facade/client/Url.ts"

const page = "https://example.com:8443/shop/index.html"

describe("the URL of a server", () => {
  const cases: ReadonlyArray<readonly [url: string, base: string | undefined, origin: string, nsp: string]> = [
    ["http://localhost", undefined, "http://localhost", "/"],
    ["http://localhost/", undefined, "http://localhost", "/"],
    ["http://localhost:80", undefined, "http://localhost", "/"],
    ["https://localhost:443/admin", undefined, "https://localhost", "/admin"],
    ["http://localhost:3000/admin?token=a/b#c", undefined, "http://localhost:3000", "/admin"],
    ["ws://localhost:3000/admin", undefined, "http://localhost:3000", "/admin"],
    ["wss://localhost/admin", undefined, "https://localhost", "/admin"],
    ["http://[::1]:3000/admin", undefined, "http://[::1]:3000", "/admin"],
    ["HTTP://LocalHost:3000/Admin", undefined, "http://localhost:3000", "/Admin"],
    ["http://user:pass@localhost/a", undefined, "http://localhost", "/a"],
    ["localhost:3000/admin", undefined, "https://localhost:3000", "/admin"],
    ["localhost:3000/admin", "http://other/", "http://localhost:3000", "/admin"],
    ["//other.org/admin", page, "https://other.org", "/admin"],
    ["/admin", page, "https://example.com:8443", "/admin"],
    ["/", page, "https://example.com:8443", "/"],
    ["/?token=a", page, "https://example.com:8443", "/"],
    ["", page, "https://example.com:8443", "/"],
    // What the server calls it: not decoded, not normalised.
    ["http://localhost/a/../b", undefined, "http://localhost", "/a/../b"],
    ["http://localhost/ünï%20", undefined, "http://localhost", "/ünï%20"]
  ]
  for (const [url, base, origin, nsp] of cases) {
    it(`${JSON.stringify(url)} on ${base ?? "no page"}`, () => {
      assert.deepStrictEqual(Url.parse(url, base), { origin, nsp })
    })
  }

  it("that is none is kept as it is", () => {
    assert.deepStrictEqual(Url.parse("http://a b/c", undefined), { origin: "http://a b", nsp: "/c" })
  })
})
