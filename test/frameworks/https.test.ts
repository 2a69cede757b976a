/** TLS: client certificates, and HTTP/2 with HTTP/1.1 beside it. */
import { afterAll, assert, it } from "@effect/vitest"
import { connect as connectHttp2 } from "node:http2"
import { request } from "node:https"
import * as Certificates from "./Certificates.ts"
import { libraries, open, routes } from "./Conversation.ts"
import { suite } from "./Suite.ts"

const certificates = Certificates.make()
afterAll(() => certificates.remove())

const { ca, folder } = certificates
const known = { ca, ...certificates.credentials("client") }

const fetchTls = (url: string): Promise<string> =>
  new Promise((resolve, reject) => {
    request(url, { ca, agent: false }, (response) => {
      let text = ""
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk))
      response.on("end", () => resolve(text))
    })
      .on("error", reject)
      .end()
  })

const messageOf = async (promise: Promise<unknown>): Promise<string> => {
  try {
    await promise
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  return assert.fail("was not refused")
}

suite({
  name: "node:https with client certificates",
  file: "examples/https/main.ts",
  options: () => ({ env: { TLS: folder } }),
  clientOptions: () => known,
  greeting: fetchTls,
  more: (url) => {
    for (const library of libraries) {
      for (const route of routes) {
        it(`${library.name}'s certificate can be read over ${route.name}`, async () => {
          const socket = await open(library, url(), route, known)
          try {
            assert.strictEqual(await socket.timeout(5000).emitWithAck("whoami"), "ada")
          } finally {
            socket.disconnect()
          }
        })
      }

      it(`${library.name} without a certificate, or with a stranger's, is told so`, async () => {
        const strangers = { ca, ...certificates.credentials("stranger") }
        for (const route of routes) {
          assert.strictEqual(await messageOf(open(library, url(), route, { ca })), "no certificate")
          assert.strictEqual(await messageOf(open(library, url(), route, strangers)), "no certificate")
        }
      })

      it(`${library.name} does not talk to a server whose certificate it does not trust`, async () => {
        const [polling, websocket] = routes
        const { key, cert } = known
        assert.strictEqual(await messageOf(open(library, url(), polling!, { key, cert })), "xhr poll error")
        assert.strictEqual(await messageOf(open(library, url(), websocket!, { key, cert })), "websocket error")
      })
    }
  }
})

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly text: string
}

/** Sends requests over one connection, which keeps their order. */
const overHttp2 = async (
  origin: string,
  talk: (send: (headers: Readonly<Record<string, string>>, body?: string) => Promise<Answer>) => Promise<void>
): Promise<void> => {
  const session = connectHttp2(origin, { ca })
  const failed = new Promise<never>((_resolve, reject) => session.on("error", reject))
  const send = (headers: Readonly<Record<string, string>>, body?: string): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const stream = session.request({ ...headers })
      let text = ""
      let answer: Readonly<Record<string, unknown>> = {}
      stream.setEncoding("utf8")
      stream.on("response", (received) => (answer = received))
      stream.on("data", (chunk: string) => (text += chunk))
      stream.on("end", () => resolve({ status: Number(answer[":status"]), headers: answer, text }))
      stream.on("error", reject)
      stream.end(body)
    })
  try {
    await Promise.race([talk(send), failed])
  } finally {
    session.close()
  }
}

suite({
  name: "node:http2 with allowHTTP1",
  file: "examples/http2/main.ts",
  options: () => ({ env: { TLS: folder } }),
  clientOptions: () => ({ ca }),
  greeting: fetchTls,
  more: (url) => {
    it("polling over HTTP/2", () =>
      overHttp2(url(), async (send) => {
        const path = "/socket.io/?EIO=4&transport=polling"
        const opened = await send({ ":path": path })
        assert.strictEqual(opened.status, 200)
        const { sid } = JSON.parse(opened.text.slice(1)) as { readonly sid: string }
        const session = `${path}&sid=${sid}`
        const post = (body: string) => send({ ":path": session, ":method": "POST" }, body)
        const poll = async () => (await send({ ":path": session })).text
        assert.strictEqual((await post("40")).text, "ok")
        assert.match(await poll(), /^40\{"sid":"/)
        await post('420["echo","hé"]')
        assert.strictEqual(await poll(), '430["hé"]')
        await post('451-1["echo",{"_placeholder":true,"num":0}]\x1ebAQID')
        assert.strictEqual(await poll(), '461-1[{"_placeholder":true,"num":0}]\x1ebAQID')
        const [pending] = await Promise.all([poll(), post("1")])
        assert.strictEqual(pending, "6")
        assert.strictEqual((await send({ ":path": session })).status, 400)
      }))

    it("HTTP/2 has no header fields of a connection", () =>
      overHttp2(url(), async (send) => {
        const answer = await send({ ":path": "/socket.io/?EIO=4&transport=nothing" })
        assert.strictEqual(answer.status, 400)
        assert.isUndefined(answer.headers["connection"])
      }))

    it("the framework's own routes over HTTP/2", () =>
      overHttp2(url(), async (send) => {
        assert.strictEqual((await send({ ":path": "/" })).text, "hello from node:http2 over HTTP/2.0")
      }))
  }
})
