/** A sticky primary with workers as processes: whatever a client's connections are, its requests reach the worker that has its session. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { Agent, request as httpRequest } from "node:http"
import { connect } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { client, type Cluster, start, until } from "./Cluster.ts"

/** A loaded machine takes its time to start processes. */
const patience = 180_000

interface Answer {
  readonly status: number
  readonly body: string
}

/** One request; over an agent of one connection all requests share it. */
const fetchOver = (agent: Agent, port: number, path: string, method = "GET", body?: Buffer): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const request = httpRequest({ agent, host: "127.0.0.1", port, path, method }, (response) => {
      let text = ""
      response.on("data", (chunk: Buffer) => (text += chunk.toString()))
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body: text }))
    })
    request.on("error", reject)
    request.end(body)
  })

const polling = "/socket.io/?EIO=4&transport=polling"

const sidOf = (body: string): string => (JSON.parse(body.slice(1).split("\u001e")[0]!) as { sid: string }).sid

describe("a sticky primary", () => {
  let cluster: Cluster
  let url: string
  let folder: string
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "sticky-"))
    cluster = await start({ primary: "ours", workers: ["ours", "effect", "ours"], sticky: { folder } })
    url = `http://127.0.0.1:${cluster.port}`
  }, patience)
  afterAll(async () => {
    await cluster.stop()
    // What the primary could not remove any more its workers do: nothing is left.
    await until("all sockets are removed", () => readdirSync(folder).length === 0)
    rmSync(folder, { recursive: true })
  })

  for (const transports of [["polling"], ["websocket"], ["polling", "websocket"]]) {
    it(
      `spreads clients over ${transports.join(" then ")}, and they reach each other through it`,
      async () => {
        const clients = await Promise.all(Array.from({ length: 6 }, () => client(url, { transports })))
        assert.deepStrictEqual(
          [...new Set(clients.map(({ hello }) => hello.worker))].sort(),
          cluster.workers.map(({ id }) => id).sort()
        )
        for (const { hello } of clients) assert.deepInclude(hello, { address: "127.0.0.1", secure: false })
        await until("the workers know each other", async () => {
          const counts = await Promise.all(clients.map(({ socket }) => socket.emitWithAck("count")))
          return counts.every((count) => count === 3)
        })
        for (const { socket } of clients) await socket.emitWithAck("join", "tea")
        clients[0]!.socket.emit("say", "tea", "hello", Buffer.from([1, 2]))
        await until("all have heard it", () => clients.every(({ said }) => said.length === 1))
        // Larger than one read, both ways.
        const large = "x".repeat(600_000)
        for (const { socket } of clients.slice(0, 3)) assert.strictEqual(await socket.emitWithAck("echo", large), large)
        if (transports.length > 1) {
          await until("the upgrades", () =>
            clients.every(({ socket }) => socket.io.engine.transport.name === "websocket")
          )
        }
        for (const { socket } of clients) socket.disconnect()
      },
      patience
    )
  }

  it(
    "requests of several sessions over one kept connection each find their own worker (socket.io-sticky#8, #16)",
    async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      try {
        const sids: Array<string> = []
        for (let n = 0; n < 6; n++) sids.push(sidOf((await fetchOver(agent, cluster.port, polling)).body))
        for (let round = 0; round < 3; round++) {
          for (const sid of sids) {
            const path = `${polling}&sid=${sid}`
            const post = await fetchOver(
              agent,
              cluster.port,
              path,
              "POST",
              Buffer.from(round === 0 ? "40" : '42["echo",1]')
            )
            assert.deepStrictEqual(post, { status: 200, body: "ok" })
            if (round === 0) assert.strictEqual((await fetchOver(agent, cluster.port, path)).status, 200)
          }
        }
        assert.strictEqual((await fetchOver(agent, cluster.port, `${polling}&sid=${"A".repeat(20)}`)).status, 400)
      } finally {
        agent.destroy()
      }
    },
    patience
  )

  it(
    "other requests pass as they are: bodies of any size, pipelined ones in order, headers, addresses",
    async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      try {
        for (const size of [0, 10, 300_000]) {
          const { status, body } = await fetchOver(agent, cluster.port, "/upload?x=1", "POST", Buffer.alloc(size, 1))
          assert.strictEqual(status, 200)
          assert.deepInclude(JSON.parse(body), {
            bytes: size,
            method: "POST",
            url: "/upload?x=1",
            address: "127.0.0.1"
          })
        }
      } finally {
        agent.destroy()
      }
      const text = await new Promise<string>((resolve, reject) => {
        let read = ""
        const socket = connect(cluster.port, "127.0.0.1", () => {
          // The head of the first comes in pieces, then three requests at once.
          socket.write("GET /0 HTTP/1.1\r\nHo")
          setImmediate(() => {
            socket.write("st: x\r\nX-Name: Value\r\n\r\n")
            socket.write(
              "POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabcGET /2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            )
          })
        })
        socket.on("data", (chunk: Buffer) => (read += chunk.toString()))
        socket.on("error", reject)
        socket.on("close", () => resolve(read))
      })
      const answers = [...text.matchAll(/\{"worker".*?"bytes":\d+/g)].map(([match]) => match)
      assert.deepStrictEqual(
        answers.map((answer) => /"url":"([^"]*)"/.exec(answer)?.[1]),
        ["/0", "/1", "/2"]
      )
      assert.include(answers[0]!, '"x-name":"Value"')
      assert.include(answers[1]!, '"bytes":3')
    },
    patience
  )

  it(
    "heads that nobody should send do not end the primary",
    async () => {
      const heads = [
        "GET /\x80\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nX-Name: a\x7fb\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nConnection: x-name, close\r\nX-Name: 1\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: nonsense\r\n\r\n",
        "GET /socket.io/?EIO=4&transport=polling&sid=%ff%00 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        `GET / HTTP/1.1\r\nHost: x\r\nX-Name: ${"x".repeat(100_000)}\r\n\r\n`,
        "\r\n\r\n\0"
      ]
      for (const head of heads) {
        const socket = connect(cluster.port, "127.0.0.1")
        await new Promise<void>((resolve) => {
          socket.on("error", () => {})
          socket.on("close", () => resolve())
          // Some are answered and kept open; some wait for more.
          socket.on("data", () => socket.end())
          socket.setTimeout(2000, () => socket.destroy())
          socket.write(Buffer.from(head, "latin1"))
        })
      }
      const { socket } = await client(url, { transports: ["polling"] })
      assert.strictEqual(await socket.emitWithAck("echo", 1), 1)
      assert.deepStrictEqual(cluster.exited, [])
    },
    patience
  )

  it(
    "clients of a worker that is killed go on with the others, over each transport",
    async () => {
      const clients = await Promise.all(
        [["polling"], ["websocket"], ["polling", "websocket"], ["polling"], ["websocket"], ["polling"]].map(
          (transports) =>
            client(url, { transports, reconnection: true, reconnectionDelay: 50, reconnectionDelayMax: 200 })
        )
      )
      const victim = clients[0]!.hello.worker
      const hellos = clients.map(({ hello }) => hello.worker)
      for (const [n, { socket }] of clients.entries()) {
        socket.on("hello", ({ worker }: { worker: number }) => {
          hellos[n] = worker
        })
      }
      const lost = clients.filter(({ hello }) => hello.worker === victim)
      assert.isNotEmpty(lost)
      const report = cluster.workers.find(({ id }) => id === victim)!
      process.kill(report.pid, "SIGKILL")
      await until("its clients are with others", () =>
        clients.every(({ socket }, n) => socket.connected && hellos[n] !== victim)
      )
      for (const { socket } of clients) assert.strictEqual(await socket.timeout(60_000).emitWithAck("echo", 1), 1)
      // Those of other workers did not notice.
      for (const [n, { hello }] of clients.entries())
        if (hello.worker !== victim) assert.strictEqual(hellos[n], hello.worker)
      assert.notProperty((await cluster.state()).workers, String(victim))
    },
    patience
  )

  it(
    "when no worker is left, requests wait for one, and none is lost",
    async () => {
      for (const { id, pid } of cluster.workers) if (!cluster.exited.includes(id)) process.kill(pid, "SIGKILL")
      await until("they are gone", () => cluster.exited.length === cluster.workers.length)
      const agent = new Agent()
      assert.strictEqual((await fetchOver(agent, cluster.port, "/")).status, 503)
      cluster.command({ type: "fork", kind: "ours" })
      const { hello } = await client(url, { transports: ["websocket"], reconnection: true, reconnectionDelayMax: 500 })
      assert.strictEqual(hello.worker, 4)
      agent.destroy()
    },
    patience
  )
})

describe("a sticky primary with TLS", () => {
  let cluster: Cluster
  let folder: string
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "sticky-tls-"))
    const cert = join(folder, "cert.pem")
    const key = join(folder, "key.pem")
    const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    const kind = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"]
    execFileSync("openssl", [...kind, ...subject, "-keyout", key, "-out", cert], { stdio: "ignore" })
    cluster = await start({ primary: "ours", workers: ["ours", "ours"], sticky: { cert, key, method: "round-robin" } })
  }, patience)
  afterAll(async () => {
    await cluster.stop()
    rmSync(folder, { recursive: true })
  })

  it(
    "serves polling, WebSocket and the upgrade (socket.io-sticky#3), and workers know that it was secure",
    async () => {
      const url = `https://127.0.0.1:${cluster.port}`
      for (const transports of [["polling"], ["websocket"], ["polling", "websocket"]]) {
        const clients = await Promise.all([0, 1].map(() => client(url, { transports, rejectUnauthorized: false })))
        for (const { hello } of clients) assert.deepInclude(hello, { address: "127.0.0.1", secure: true })
        for (const { socket } of clients) await socket.emitWithAck("join", "tea")
        await until("the workers know each other", async () => (await clients[0]!.socket.emitWithAck("count")) === 2)
        clients[0]!.socket.emit("say", "tea", "hello")
        await until("both have heard it", () => clients.every(({ said }) => said.length === 1))
        for (const { socket } of clients) socket.disconnect()
      }
    },
    patience
  )
})
