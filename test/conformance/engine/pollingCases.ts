/** Engine.IO: polling by hand, request by request. */
import * as assert from "node:assert/strict"
import { gunzipSync, inflateSync } from "node:zlib"
import { calm, type Case, engineSuite } from "../Case.ts"
import { polling, type Polling, separator } from "../raw/Engine.ts"
import { arrived, ask, exchange, outcome, raw } from "../raw/Http.ts"
import { within } from "../raw/Wait.ts"
import type { EngineServer } from "../Target.ts"

/** The server has forgotten the session: polls and posts are refused with code 1. */
export const isGone = async (opened: Polling): Promise<void> => {
  const poll = await opened.poll()
  assert.deepEqual([poll.status, JSON.parse(poll.text)], [400, { code: 1, message: "Session ID unknown" }])
  const post = await opened.post("4x")
  assert.equal(post.status, 400)
}

/** The session answers as if nothing had happened. */
export const isAlive = async (opened: Polling): Promise<void> => {
  const post = await opened.post("4are you there")
  assert.deepEqual([post.status, post.text], [200, "ok"])
  assert.equal((await opened.poll()).text, "4are you there")
}

const echoes: ReadonlyArray<readonly [what: string, payload: string]> = [
  ["a text message", "4hello"],
  ["an empty message", "4"],
  ["three messages, in one poll", ["4test1", "4test2", "4test3"].join(separator)],
  ["text and binary in one payload", ["4hello", "bAQIDBA=="].join(separator)],
  ["an empty binary message", "b"],
  ["binary with every byte", `b${Buffer.from(Array.from({ length: 256 }, (_, i) => i)).toString("base64")}`],
  ["text outside the basic plane", "4utf 8 ñ € 💩 \u{10ffff} \u0000"],
  ["text that looks like a payload", "4b4\\u001e4b"],
  ["a hundred messages", Array.from({ length: 100 }, (_, i) => (i % 3 === 0 ? "bAA==" : `4${i}`)).join(separator)]
]

/** Payloads with a packet that nobody can read. */
const unreadable: ReadonlyArray<readonly [what: string, payload: string]> = [
  ["abc", "abc"],
  ["an unknown type", "9xyz"],
  ["an empty body", ""],
  ["an empty packet after a good one", `4good${separator}`],
  ["an empty packet before a good one", `${separator}4good`],
  ["binary of the third protocol version", "b4AQIDBA==".replace("b4", "B4")],
  ["a type in another script", "٤hello"]
]

const cases: ReadonlyArray<Case<EngineServer>> = [
  ...echoes.map(([what, payload]) => ({
    title: `${what}: posted, answered ok, and back in one poll`,
    run: async ({ server }: { server: EngineServer }) => {
      const opened = await polling(server.endpoint)
      const post = await opened.post(payload)
      assert.deepEqual([post.status, post.text], [200, "ok"])
      assert.equal(post.headers["content-type"], "text/html")
      assert.equal(post.headers["cache-control"], "no-store")
      const poll = await opened.poll()
      assert.deepEqual([poll.status, poll.text], [200, payload])
      assert.match(String(poll.headers["content-type"]), /^text\/plain; ?charset=utf-8$/i)
    }
  })),
  {
    title: "a poll waits for the message",
    run: async ({ server }) => {
      const opened = await polling(server.endpoint)
      const poll = opened.startPoll()
      await opened.post("4late")
      assert.equal((await poll.reply).text, "4late")
    }
  },
  {
    title: "messages between two polls come in one payload, in order",
    run: async ({ server }) => {
      const opened = await polling(server.endpoint)
      for (let i = 0; i < 10; i++) await opened.post(`4${i}`)
      assert.equal((await opened.poll()).text, Array.from({ length: 10 }, (_, i) => `4${i}`).join(separator))
    }
  },
  {
    title: "a session over one kept-alive connection",
    run: async ({ server }) => {
      const path = server.endpoint.path
      const first = await polling(server.endpoint)
      const query = `EIO=4&transport=polling&sid=${first.sid}`
      const head = "Host: x\r\nContent-Type: text/plain\r\n"
      const answer = await raw(
        server.endpoint,
        `POST ${path}?${query} HTTP/1.1\r\n${head}Content-Length: 3\r\n\r\n4ab` +
          `GET ${path}?${query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`
      )
      assert.match(answer, /^HTTP\/1\.1 200 OK[^]*\r\n\r\nokHTTP\/1\.1 200 OK[^]*\r\n\r\n4ab$/)
    }
  },
  {
    title: "a POST that waits for 100 Continue gets it",
    run: async ({ server }) => {
      const opened = await polling(server.endpoint)
      const post = exchange(server.endpoint, {
        method: "POST",
        query: opened.query,
        headers: { "content-type": "text/plain", "content-length": 6, expect: "100-continue" },
        keepOpen: true
      })
      await within(new Promise<void>((resolve) => post.request.once("continue", resolve)), "100 Continue")
      post.request.end("4hello")
      assert.equal((await post.reply).text, "ok")
      assert.equal((await opened.poll()).text, "4hello")
    }
  },
  {
    title: "two hundred sessions at once, each with its own messages",
    run: async ({ server }) => {
      const opened = await Promise.all(Array.from({ length: 200 }, () => polling(server.endpoint)))
      await Promise.all(opened.map((each) => each.post(`4${each.sid}`)))
      await Promise.all(opened.map(async (each) => assert.equal((await each.poll()).text, `4${each.sid}`)))
    }
  },
  {
    title: "a body that arrives byte by byte, cut inside a character",
    run: async ({ server }) => {
      const opened = await polling(server.endpoint)
      const body = Buffer.from(`4€💩${separator}bAQID`)
      const post = exchange(server.endpoint, {
        method: "POST",
        query: opened.query,
        headers: { "content-type": "text/plain" },
        keepOpen: true
      })
      for (const byte of body)
        await new Promise<void>((resolve) => post.request.write(Buffer.of(byte), () => resolve()))
      post.request.end()
      assert.equal((await post.reply).text, "ok")
      assert.equal((await opened.poll()).text, body.toString())
    }
  },
  ...unreadable.map(([what, payload]) => ({
    title: `${what} posted: refused or aborted, the session is gone with a parse error`,
    run: async ({ server }: { server: EngineServer }) => {
      const opened = await polling(server.endpoint)
      const how = await outcome(opened.startPost(payload).reply)
      assert.ok(how === 400 || how === "aborted", String(how))
      assert.equal((await server.closeOf(opened.sid)).reason, "parse error")
      await isGone(opened)
    },
    official: {
      because: "a POST that ends the session with a parse error is answered 200 ok all the same",
      instead: async ({ server }: { server: EngineServer }) => {
        const opened = await polling(server.endpoint)
        const reply = await opened.post(payload)
        assert.deepEqual([reply.status, reply.text], [200, "ok"])
        assert.equal((await server.closeOf(opened.sid)).reason, "parse error")
        await isGone(opened)
      }
    }
  })),
  {
    title: "wrong base64 posted: refused or aborted, the session is gone with a parse error",
    run: async ({ server }) => {
      const opened = await polling(server.endpoint)
      const how = await outcome(opened.startPost("b@@not base64@@").reply)
      assert.ok(how === 400 || how === "aborted", String(how))
      assert.equal((await server.closeOf(opened.sid)).reason, "parse error")
      await isGone(opened)
    },
    official: {
      because:
        "Node's lenient base64 decoder skips what it cannot read, so that other bytes than the peer meant are delivered",
      instead: async ({ server }) => {
        const opened = await polling(server.endpoint)
        assert.equal((await opened.post("b@@not base64@@")).text, "ok")
        assert.equal((await opened.poll()).text, `b${Buffer.from("@@not base64@@", "base64").toString("base64")}`)
      }
    }
  },
  {
    title: "a ping from the client: the session is gone with a transport error",
    run: async ({ server }) => {
      const opened = await polling(server.endpoint)
      await outcome(opened.startPost("2").reply)
      assert.equal((await server.closeOf(opened.sid)).reason, "transport error")
      await isGone(opened)
    }
  },
  {
    title: "a pong that nobody asked for does no harm",
    run: async ({ server }) => {
      const opened = await polling(server.endpoint)
      assert.equal((await opened.post("3")).text, "ok")
      await isAlive(opened)
    }
  },
  {
    title: "open, upgrade and noop packets from the client are ignored",
    run: async ({ server }) => {
      const opened = await polling(server.endpoint)
      assert.equal((await opened.post(["0{}", "5", "6"].join(separator))).text, "ok")
      await isAlive(opened)
    }
  },
  {
    title: "two GETs at a time: the first gets a close packet, the second is refused, the session is gone",
    run: async ({ server }) => {
      const opened = await polling(server.endpoint)
      const first = opened.startPoll()
      await arrived(server.endpoint)
      const second = await outcome(opened.startPoll().reply)
      assert.ok(second === 400 || second === 500, String(second))
      const reply = await first.reply
      assert.deepEqual([reply.status, reply.text], [200, "1"])
      assert.equal((await server.closeOf(opened.sid)).reason, "transport error")
      await isGone(opened)
    }
  },
  {
    title: "two POSTs at a time: the second is refused, the session is gone",
    run: async ({ server, cleanup }) => {
      const opened = await polling(server.endpoint)
      const first = exchange(server.endpoint, {
        method: "POST",
        query: opened.query,
        headers: { "content-type": "text/plain", "content-length": 100 },
        body: "4half",
        keepOpen: true
      })
      cleanup(() => first.abort())
      await arrived(server.endpoint)
      const second = await outcome(opened.startPost("4second").reply)
      assert.ok(second === 400 || second === 500 || second === "aborted", String(second))
      assert.equal((await server.closeOf(opened.sid)).reason, "transport error")
      await isGone(opened)
    }
  },
  {
    title: "a GET and a POST at a time are no overlap",
    run: async ({ server }) => {
      const opened = await polling(server.endpoint)
      for (let i = 0; i < 5; i++) {
        const poll = opened.startPoll()
        assert.equal((await opened.post(`4${i}`)).text, "ok")
        assert.equal((await poll.reply).text, `4${i}`)
      }
    }
  },
  {
    title: "an aborted GET: the session is gone with a transport error",
    run: async ({ server }) => {
      const opened = await polling(server.endpoint)
      const poll = opened.startPoll()
      await arrived(server.endpoint)
      poll.abort()
      assert.equal((await server.closeOf(opened.sid)).reason, "transport error")
      await isGone(opened)
    }
  },
  {
    title: "an aborted POST: the session is gone with a transport error, nothing of it is delivered",
    run: async ({ server }) => {
      const opened = await polling(server.endpoint)
      const post = exchange(server.endpoint, {
        method: "POST",
        query: opened.query,
        headers: { "content-type": "text/plain", "content-length": 100 },
        body: "4half",
        keepOpen: true
      })
      await arrived(server.endpoint)
      post.abort()
      assert.equal((await server.closeOf(opened.sid)).reason, "transport error")
      await isGone(opened)
    }
  },
  {
    title: "an octet-stream POST: 400, the session is gone with a transport error",
    run: async ({ server }) => {
      const opened = await polling(server.endpoint)
      const post = exchange(server.endpoint, {
        method: "POST",
        query: opened.query,
        headers: { "content-type": "application/octet-stream" },
        body: "4x"
      })
      const how = await outcome(post.reply)
      assert.ok(how === 400 || how === "aborted", String(how))
      assert.equal((await server.closeOf(opened.sid)).reason, "transport error")
      await isGone(opened)
    }
  },
  ...["PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"].map((method) => ({
    title: `${method} with a sid: an error status, the session goes on`,
    run: async ({ server }: { server: EngineServer }) => {
      const opened = await polling(server.endpoint)
      const reply = await ask(server.endpoint, { method, query: opened.query })
      assert.ok(reply.status >= 400 && reply.status <= 599, String(reply.status))
      await isAlive(opened)
    }
  })),
  {
    title: "a POST without content type is read as text",
    run: async ({ server }) => {
      const opened = await polling(server.endpoint)
      const reply = await ask(server.endpoint, { method: "POST", query: opened.query, body: "4plain" })
      assert.equal(reply.text, "ok")
      assert.equal((await opened.poll()).text, "4plain")
    }
  },
  {
    title: "bytes that are not UTF-8 become replacement characters, the session goes on",
    run: async ({ server }) => {
      const opened = await polling(server.endpoint)
      assert.equal((await opened.post(Buffer.from([0x34, 0x61, 0xff, 0xc3, 0x62]))).text, "ok")
      assert.equal((await opened.poll()).text, "4a\ufffd\ufffdb")
      await isAlive(opened)
    }
  },
  {
    title: "messages before a close packet in the same payload are delivered before the close",
    run: async ({ server }) => {
      const opened = await polling(server.endpoint)
      const poll = opened.startPoll()
      await arrived(server.endpoint)
      await outcome(opened.startPost(`4last words${separator}1${separator}4after`).reply)
      assert.equal((await poll.reply).text, "4last words")
      assert.equal((await server.closeOf(opened.sid)).reason, "transport close")
      await isGone(opened)
    }
  },
  {
    title: "the session of one client is not that of another",
    run: async ({ server }) => {
      const [one, two] = await Promise.all([polling(server.endpoint), polling(server.endpoint)])
      await one.post("4one")
      await two.post("4two")
      assert.equal((await two.poll()).text, "4two")
      assert.equal((await one.poll()).text, "4one")
    }
  }
]

const big = `4${"compress me ".repeat(200)}`

/** Suites about polling. */
export const pollingSuites = [
  engineSuite("Engine.IO polling", calm, cases),
  engineSuite("Engine.IO polling: compression", calm, [
    {
      title: "a payload of 1024 bytes and more is compressed for who accepts gzip",
      run: async ({ server }) => {
        const opened = await polling(server.endpoint)
        await opened.post(big)
        const poll = await ask(server.endpoint, {
          query: opened.query,
          headers: { "accept-encoding": "gzip, deflate" }
        })
        assert.equal(poll.headers["content-encoding"], "gzip")
        assert.equal(gunzipSync(poll.bytes).toString(), big)
        await isAlive(opened)
      }
    },
    {
      title: "deflate is used when gzip is not accepted",
      run: async ({ server }) => {
        const opened = await polling(server.endpoint)
        await opened.post(big)
        const poll = await ask(server.endpoint, { query: opened.query, headers: { "accept-encoding": "deflate" } })
        assert.equal(poll.headers["content-encoding"], "deflate")
        assert.equal(inflateSync(poll.bytes).toString(), big)
      }
    },
    {
      title: "nothing is compressed under 1024 bytes, or for who does not ask",
      run: async ({ server }) => {
        const opened = await polling(server.endpoint)
        await opened.post(`4${"x".repeat(1022)}`)
        const small = await ask(server.endpoint, { query: opened.query, headers: { "accept-encoding": "gzip" } })
        assert.equal(small.headers["content-encoding"], undefined)
        assert.equal(small.text.length, 1023)
        await opened.post(big)
        const plain = await opened.poll()
        assert.equal(plain.headers["content-encoding"], undefined)
        assert.equal(plain.text, big)
      }
    }
  ])
]
