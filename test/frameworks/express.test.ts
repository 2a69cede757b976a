/** Express, with the sessions of express-session and the users of passport. */
import { assert, describe, it } from "@effect/vitest"
import type { Socket } from "../../src/facade/client.ts"
import { type Library, libraries, next, open, routes } from "./Conversation.ts"
import { fetchGreeting, suite } from "./Suite.ts"

const login = async (url: string, password = "secret"): Promise<string> => {
  const body = new URLSearchParams({ username: "ada", password })
  const response = await fetch(`${url}/login`, { method: "POST", body })
  assert.strictEqual(response.status, 200)
  return response.headers.getSetCookie()[0]!.split(";")[0]!
}

const asMember = (library: Library, url: string, route: (typeof routes)[number], cookie: string): Promise<Socket> =>
  open(library, `${url}/members`, route, { extraHeaders: { cookie } })

suite({
  name: "Express",
  file: "examples/express/main.ts",
  greeting: fetchGreeting,
  more: (url) => {
    describe.each(libraries)("$name", (library) => {
      describe.each(routes)("over $name", (route) => {
        it("who is not logged in is no member", async () => {
          try {
            const socket = await open(library, `${url()}/members`, route)
            socket.disconnect()
            assert.fail("was let in")
          } catch (error) {
            assert.strictEqual((error as Error).message, "unauthorized")
          }
        })

        it("who has logged in by Express is known to the socket", async () => {
          const socket = await asMember(library, url(), route, await login(url()))
          assert.strictEqual(await socket.timeout(5000).emitWithAck("whoami"), "ada")
          socket.disconnect()
        })

        it("the session is shared by connections, and written from them", async () => {
          const cookie = await login(url())
          const first = await asMember(library, url(), route, cookie)
          assert.strictEqual(await first.timeout(5000).emitWithAck("visit"), 1)
          assert.strictEqual(await first.timeout(5000).emitWithAck("visit"), 2)
          const second = await asMember(library, url(), route, cookie)
          assert.strictEqual(await second.timeout(5000).emitWithAck("visit"), 3)
          first.disconnect()
          second.disconnect()
        })

        it("a logout by Express ends all sockets of the session, and only those", async () => {
          const cookie = await login(url())
          const sockets = [
            await asMember(library, url(), route, cookie),
            await asMember(library, url(), route, cookie)
          ] as const
          const other = await asMember(library, url(), route, await login(url()))
          const reasons = Promise.all(sockets.map((socket) => next<[string]>(socket, "disconnect")))
          await fetch(`${url()}/logout`, { method: "POST", headers: { cookie } })
          assert.deepStrictEqual(
            (await reasons).map(([reason]) => reason),
            ["io server disconnect", "io server disconnect"]
          )
          assert.strictEqual(await other.timeout(5000).emitWithAck("whoami"), "ada")
          other.disconnect()
        })
      })
    })
  }
})
