/** The configurations of examples/proxies, each run by its program, with three of our servers behind it and both clients in front. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { io as official, type ManagerOptions, type SocketOptions } from "socket.io-client"
import { onTestFinished } from "vitest"
import { io as ours } from "../../src/facade/client.ts"
import { type Node, startNode } from "./Nodes.ts"
import { freePorts, isInstalled, type Ports, programs, type Proxy, start } from "./Proxy.ts"

const patience = 120_000

interface Hello {
  readonly node: number
  readonly address: string
  readonly forwardedFor?: string
  readonly url: string
}

interface Socket {
  on(event: string, listener: (...args: Array<never>) => void): unknown
  emitWithAck(event: string, value: unknown): Promise<unknown>
  disconnect(): unknown
  readonly connected: boolean
  readonly io: {
    on(event: "close", listener: (reason: string) => void): unknown
    readonly engine: { readonly transport: { readonly name: string } }
  }
}

const clients: ReadonlyArray<readonly [name: string, connect: (url: string, options: object) => Socket]> = [
  [
    "the official client",
    (url, options) => official(url, options as Partial<ManagerOptions & SocketOptions>) as unknown as Socket
  ],
  ["our client", (url, options) => ours(url, options) as unknown as Socket]
]

interface Connected {
  readonly socket: Socket
  readonly hello: Hello
}

const connect = (make: (url: string, options: object) => Socket, url: string, options: object): Promise<Connected> =>
  new Promise((resolve, reject) => {
    const socket = make(url, { forceNew: true, reconnection: false, ...options })
    const timer = setTimeout(() => reject(new Error(`no hello through ${url}`)), 60_000)
    onTestFinished(() => {
      clearTimeout(timer)
      socket.disconnect()
    })
    socket.on("connect_error", reject)
    // Before it is in its namespace, a socket is not told of the end of its connection.
    socket.io.on("close", (reason) => reject(new Error(`closed: ${reason}`)))
    socket.on("hello", (hello: Hello) => {
      clearTimeout(timer)
      resolve({ socket, hello })
    })
  })

const until = async (what: string, condition: () => boolean): Promise<void> => {
  const end = Date.now() + 60_000
  while (!condition()) {
    if (Date.now() > end) throw new Error(`waited for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Six clients go to and fro over their transports; gives the servers that they were with. */
const talk = async (
  make: (url: string, options: object) => Socket,
  url: string,
  options: { readonly transports: ReadonlyArray<string> }
): Promise<ReadonlyArray<Hello>> => {
  const all = await Promise.all(Array.from({ length: 6 }, () => connect(make, url, options)))
  const large = "x".repeat(100_000)
  for (let round = 0; round < 3; round++) {
    await Promise.all(all.map(async ({ socket }) => assert.strictEqual(await socket.emitWithAck("echo", large), large)))
  }
  const last = options.transports.at(-1)
  await until(`the transport ${last}`, () => all.every(({ socket }) => socket.io.engine.transport.name === last))
  for (const { socket } of all) assert.strictEqual(await socket.emitWithAck("echo", 1), 1)
  return all.map(({ hello }) => hello)
}

const ways = [["polling"], ["websocket"], ["polling", "websocket"]]

for (const program of programs) {
  const missing = !isInstalled(program)
  // In CI a missing program fails, when it is started.
  const skipped = missing && process.env["CI"] === undefined
  const title = skipped ? `${program.name} (not installed: apt-get install ${program.package})` : program.name
  describe.skipIf(skipped)(`behind ${title}`, () => {
    let nodes: ReadonlyArray<Node> = []
    let ports: Ports
    let proxy: Proxy
    beforeAll(async () => {
      nodes = await Promise.all([1, 2, 3].map(startNode))
      const [cookie, address, webSocket] = await freePorts(3)
      ports = { cookie: cookie!, address: address!, webSocket: webSocket!, nodes: nodes.map(({ port }) => port) }
      proxy = await start(program, ports)
    }, patience)
    afterAll(async () => {
      await proxy?.stop()
      await Promise.all(nodes.map(({ close }) => close()))
    })

    for (const [name, make] of clients) {
      it(
        `${name} stays with its server by a cookie, over polling, WebSocket and the upgrade`,
        async () => {
          const seen = new Set<number>()
          for (const transports of ways) {
            const options = { transports, withCredentials: true }
            for (const { node, forwardedFor } of await talk(make, `http://127.0.0.1:${ports.cookie}`, options)) {
              seen.add(node)
              assert.match(forwardedFor ?? "", /^(?:::ffff:)?127\.0\.0\.1$/)
            }
          }
          assert.isAbove(seen.size, 1, "they are spread")
        },
        patience
      )

      it(
        `${name} reaches servers behind a prefix`,
        async () => {
          for (const transports of ways) {
            const options = { transports, path: "/chat/socket.io/", withCredentials: true }
            for (const { url } of await talk(make, `http://127.0.0.1:${ports.cookie}`, options)) {
              assert.match(url, /^\/socket\.io\/\?/)
            }
          }
        },
        patience
      )

      if (program.address) {
        it(
          `${name} stays with its server by its address`,
          async () => {
            for (const transports of ways) {
              const hellos = await talk(make, `http://127.0.0.1:${ports.address}`, { transports })
              assert.strictEqual(new Set(hellos.map(({ node }) => node)).size, 1)
            }
          },
          patience
        )
      }

      if (program.webSocketOnly) {
        it(
          `${name} needs nothing sticky with WebSocket only`,
          async () => {
            const seen = new Set<number>()
            for (let round = 0; round < 3; round++) {
              const options = { transports: ["websocket"] }
              for (const { node } of await talk(make, `http://127.0.0.1:${ports.webSocket}`, options)) seen.add(node)
            }
            assert.isAbove(seen.size, 1, "they are spread")
          },
          patience
        )
      }
    }
  })
}
