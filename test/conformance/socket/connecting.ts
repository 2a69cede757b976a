/** Socket.IO: CONNECT in all forms, namespaces, middleware, disconnecting. */
import * as assert from "node:assert/strict"
import { brisk, calm, type Case, type Context, socketSuite } from "../Case.ts"
import { type TransportName, transports } from "../raw/Engine.ts"
import { connected, prefix, socketIo, type SocketIo } from "../raw/SocketIo.ts"
import { arrived } from "../raw/Http.ts"
import { pass } from "../raw/Wait.ts"
import type { SocketServer } from "../Target.ts"

type Given = Context<SocketServer>

/** A connection that is left when the case ends. */
export const connection = async (
  { server, cleanup }: Pick<Given, "server" | "cleanup">,
  transport: TransportName = "websocket"
): Promise<SocketIo> => {
  const io = await socketIo(server.endpoint, transport)
  cleanup(() => io.leave())
  return io
}

/** One case for each way to a session. */
export const overEach = (
  title: string,
  run: (io: SocketIo, given: Given, transport: TransportName) => Promise<void>
): ReadonlyArray<Case<SocketServer>> =>
  transports.map((transport) => ({
    title: `${transport}: ${title}`,
    run: async (given: Given) => run(await connection(given, transport), given, transport)
  }))

const auths: ReadonlyArray<readonly [what: string, auth: unknown]> = [
  ["an object", { token: "abc" }],
  ["an empty object", {}],
  ["nested values", { a: [1, { b: null }], c: "ü€💩" }],
  ["names of the prototype", JSON.parse('{"__proto__":{"admin":true},"constructor":1}')],
  ["a sid of its own", { sid: "mine", pid: "mine", offset: "mine" }]
]

const connecting: ReadonlyArray<Case<SocketServer>> = [
  ...overEach("CONNECT without auth: answered with a sid and nothing else, handshake auth is {}", async (io) => {
    await io.send("0")
    const { sid, rest } = connected(await io.next(), "/")
    assert.match(sid, /^[A-Za-z0-9_-]{20}$/)
    assert.deepEqual(rest, [])
    assert.notEqual(sid, io.engine.sid)
    await io.expect('2["auth",{}]')
  }),
  ...overEach("CONNECT to a custom namespace with auth", async (io) => {
    const sid = await io.join("/custom", { token: "abc" })
    assert.match(sid, /^[A-Za-z0-9_-]{20}$/)
    await io.quiet("/custom")
  }),
  ...auths.map(([what, auth]) => ({
    title: `auth with ${what} reaches the handshake`,
    run: async (given: Given) => {
      const io = await connection(given)
      const text = JSON.stringify(auth)
      await io.send(`0${text}`)
      connected(await io.next(), "/")
      await io.expect(`2${`["auth",${text}]`}`)
    }
  })),
  ...overEach("several namespaces on one connection, each with a socket id of its own", async (io, { unique }) => {
    const names = ["/", "/custom", `/room-${unique}`]
    const ids: Array<string> = []
    for (const name of names) ids.push(await io.join(name))
    assert.equal(new Set(ids).size, names.length)
    for (const [i, name] of names.entries()) assert.deepEqual(await io.call(name, "whoami"), [ids[i]])
  }),
  ...overEach(
    'an unknown namespace: CONNECT_ERROR {"message":"Invalid namespace"}, the connection stays',
    async (io) => {
      await io.send("0/random,")
      await io.expect('4/random,{"message":"Invalid namespace"}')
      await io.join()
    }
  ),
  {
    title: "an unknown namespace with auth, and one whose name is a prototype's: refused alike",
    run: async (given) => {
      const io = await connection(given)
      await io.send('0/random,{"token":"x"}')
      await io.expect('4/random,{"message":"Invalid namespace"}')
      for (const name of ["/__proto__", "/constructor", "/toString"]) {
        await io.send(`0${name},`)
        await io.expect(`4${name},{"message":"Invalid namespace"}`)
      }
    }
  },
  {
    title: "a namespace that only begins or ends like a known one is unknown",
    run: async (given) => {
      const io = await connection(given)
      for (const name of ["/customs", "/custom/", "/Custom", "//custom", "/x/custom"]) {
        await io.send(`0${name},`)
        await io.expect(`4${name},{"message":"Invalid namespace"}`)
      }
    }
  },
  {
    title: "a query in the namespace belongs to its name",
    run: async (given) => {
      const io = await connection(given)
      await io.send("0/custom?token=1,")
      await io.expect('4/custom?token=1,{"message":"Invalid namespace"}')
    }
  },
  {
    title: "CONNECT to a namespace without the comma",
    run: async (given) => {
      const io = await connection(given)
      await io.send("0/custom")
      connected(await io.next(), "/custom")
      await io.expect('2/custom,["auth",{}]')
    }
  },
  {
    title: "an id on CONNECT is ignored",
    run: async (given) => {
      const io = await connection(given)
      await io.send('0/custom,7{"token":"x"}')
      connected(await io.next(), "/custom")
      await io.expect('2/custom,["auth",{"token":"x"}]')
    }
  },
  {
    title: "CONNECT to / written out",
    run: async (given) => {
      const io = await connection(given)
      await io.send("0/,")
      connected(await io.next(), "/")
      await io.expect('2["auth",{}]')
    }
  },
  {
    title: "a dynamic namespace is made on demand, and is the same for who comes later",
    run: async (given) => {
      const nsp = `/room-${given.unique}`
      const one = await connection(given)
      const two = await connection(given)
      const id = await one.join(nsp)
      await two.join(nsp)
      assert.deepEqual(await one.call(nsp, "count"), [2])
      assert.notDeepEqual(await two.call(nsp, "whoami"), [id])
    }
  },
  {
    title: "two dynamic namespaces of one pattern do not mix",
    run: async (given) => {
      const io = await connection(given)
      await io.join(`/room-${given.unique}-a`)
      await io.join(`/room-${given.unique}-b`)
      assert.deepEqual(await io.call(`/room-${given.unique}-a`, "count"), [1])
    }
  },
  {
    title: "the CONNECT answer comes before anything that the connection handler emits",
    run: async (given) => {
      const io = await connection(given, "polling")
      await io.send("0")
      connected(await io.next(), "/")
      await io.expect('2["auth",{}]')
    }
  },
  {
    title: "events sent right behind CONNECT, in one payload, before the answer: the connection is closed",
    run: async (given) => {
      const nsp = `/slow-${given.unique}`
      const io = await connection(given)
      await io.send(`0${nsp},`, `2${nsp},["message","too early"]`)
      await io.closed()
    }
  },
  {
    title: "CONNECT on a joined namespace: the connection is closed",
    run: async (given) => {
      const io = await connection(given)
      const sid = await io.join()
      await io.send("0")
      await io.closed()
      assert.match((await given.server.disconnectOf(sid)).reason, /^(forced server close|forced close)$/)
    }
  },
  {
    title: "five CONNECTs while asynchronous middleware runs make at most one socket",
    run: async (given) => {
      const nsp = `/slow-${given.unique}`
      const watcher = await connection(given)
      await watcher.join(nsp)
      const io = await connection(given)
      await io.send(...Array.from({ length: 5 }, () => `0${nsp},`))
      const how = await Promise.race([io.closed().then(() => "closed"), io.next().then((packet) => packet)])
      if (how !== "closed") {
        connected(how, nsp)
        await io.expect(`2${nsp},["auth",{}]`)
      }
      assert.deepEqual(await watcher.call(nsp, "count"), [how === "closed" ? 1 : 2])
      await watcher.send(`2${nsp},["all","once"]`)
      await watcher.expect(`2${nsp},["told","once"]`)
      if (how !== "closed") {
        await io.expect(`2${nsp},["told","once"]`)
        await io.quiet(nsp)
      }
    },
    official: {
      because:
        "T8: each CONNECT that arrives while middleware runs makes a socket of its own, so that one broadcast arrives five times",
      instead: async (given) => {
        const nsp = `/slow-${given.unique}`
        const watcher = await connection(given)
        await watcher.join(nsp)
        const io = await connection(given)
        await io.send(...Array.from({ length: 5 }, () => `0${nsp},`))
        for (let i = 0; i < 5; i++) {
          connected(await io.next(), nsp)
          await io.expect(`2${nsp},["auth",{}]`)
        }
        assert.deepEqual(await watcher.call(nsp, "count"), [6])
      }
    }
  },
  {
    title: "a client that leaves while middleware runs makes no socket",
    run: async (given) => {
      const nsp = `/slow-${given.unique}`
      const watcher = await connection(given)
      await watcher.join(nsp)
      const io = await connection(given)
      await io.send(`0${nsp},`)
      await pass(30)
      io.leave()
      await pass(150)
      assert.deepEqual(await watcher.call(nsp, "count"), [1])
    }
  }
]

const middleware: ReadonlyArray<Case<SocketServer>> = [
  ...overEach(
    "middleware refuses: CONNECT_ERROR with message and data, the connection stays, a second try may succeed",
    async (io, { unique }) => {
      const nsp = `/guarded-${unique}`
      await io.send(`0${nsp},{"token":"wrong"}`)
      await io.expect(`4${nsp},{"message":"not allowed","data":{"code":42}}`)
      await io.join(nsp, { token: "secret" })
      await io.quiet(nsp)
    }
  ),
  {
    title: "one that was refused is no socket of the namespace",
    run: async (given) => {
      const nsp = `/guarded-${given.unique}`
      const io = await connection(given)
      await io.join(nsp, { token: "secret" })
      const refused = await connection(given)
      await refused.send(`0${nsp},`)
      await refused.expect(`4${nsp},{"message":"not allowed","data":{"code":42}}`)
      assert.deepEqual(await io.call(nsp, "count"), [1])
      await io.send(`2${nsp},["all","x"]`)
      await io.expect(`2${nsp},["told","x"]`)
      await refused.join()
      await refused.quiet()
    }
  },
  {
    title: "an event for a namespace that refused: the connection is closed",
    run: async (given) => {
      const nsp = `/guarded-${given.unique}`
      const io = await connection(given)
      await io.send(`0${nsp},`)
      await io.expect(`4${nsp},{"message":"not allowed","data":{"code":42}}`)
      await io.send(`2${nsp},["message","x"]`)
      await io.closed()
    }
  }
]

const disconnecting: ReadonlyArray<Case<SocketServer>> = [
  ...overEach(
    "DISCONNECT: the socket is gone, the connection stays and the namespace may be joined again",
    async (io, { server }) => {
      const sid = await io.join()
      await io.send("1")
      assert.equal((await server.disconnectOf(sid)).reason, "client namespace disconnect")
      const again = await io.join()
      assert.notEqual(again, sid)
      await io.quiet()
    }
  ),
  ...overEach("DISCONNECT of one namespace leaves the others", async (io, { server }) => {
    await io.join()
    const sid = await io.join("/custom")
    await io.send("1/custom,")
    assert.equal((await server.disconnectOf(sid)).reason, "client namespace disconnect")
    await io.quiet()
  }),
  {
    title: "an event after DISCONNECT: the connection is closed",
    run: async (given) => {
      const io = await connection(given)
      const sid = await io.join("/custom")
      await io.send("1/custom,")
      await given.server.disconnectOf(sid)
      await io.send('2/custom,["message","too late"]')
      await io.closed()
    }
  },
  {
    title: "DISCONNECT from a namespace that was never joined: the connection is closed",
    run: async (given) => {
      const io = await connection(given)
      await io.join()
      await io.send("1/custom,")
      await io.closed()
    }
  },
  ...overEach(
    "the server disconnects one namespace: DISCONNECT packet, the connection stays",
    async (io, { server }) => {
      const sid = await io.join("/custom")
      await io.join()
      await io.send('2/custom,["leave-me",false]')
      await io.expect("1/custom,")
      assert.equal((await server.disconnectOf(sid)).reason, "server namespace disconnect")
      await io.quiet()
      await io.join("/custom")
    }
  ),
  ...overEach(
    "the server disconnects with close: every namespace is told, then the connection is closed",
    async (io, { server }) => {
      const one = await io.join("/custom")
      const two = await io.join()
      await io.send('2["leave-me",true]')
      const told = [await io.next(), await io.next()]
      assert.deepEqual(told.toSorted(), ["1", "1/custom,"])
      await io.closed()
      for (const sid of [one, two])
        assert.match((await server.disconnectOf(sid)).reason, /^(server namespace disconnect|forced server close)$/)
    }
  ),
  {
    title: "the connection is closed by the client: every socket is disconnected with a transport close",
    run: async (given) => {
      const io = await connection(given)
      const ids = [await io.join(), await io.join("/custom")]
      io.leave()
      for (const sid of ids) assert.equal((await given.server.disconnectOf(sid)).reason, "transport close")
    }
  },
  {
    title: "a poll is aborted: every socket is disconnected with a transport error",
    run: async (given) => {
      const io = await connection(given, "polling")
      const ids = [await io.join(), await io.join("/custom")]
      await arrived(given.server.endpoint)
      io.leave()
      for (const sid of ids) assert.equal((await given.server.disconnectOf(sid)).reason, "transport error")
    }
  },
  {
    title: "one who is gone is no longer in the namespace",
    run: async (given) => {
      const nsp = `/room-${given.unique}`
      const io = await connection(given)
      await io.join(nsp)
      const other = await connection(given)
      const sid = await other.join(nsp)
      assert.deepEqual(await io.call(nsp, "count"), [2])
      other.leave()
      await given.server.disconnectOf(sid)
      assert.deepEqual(await io.call(nsp, "count"), [1])
    }
  }
]

const inTime: ReadonlyArray<Case<SocketServer>> = [
  ...transports
    .filter((transport) => transport !== "upgrade")
    .map((transport) => ({
      title: `${transport}: no CONNECT within connectTimeout: the connection is closed`,
      run: async ({ server, cleanup }: Given) => {
        const from = performance.now()
        const io = await socketIo(server.endpoint, transport)
        cleanup(() => io.leave())
        await io.closed()
        const ms = performance.now() - from
        assert.ok(
          ms >= brisk.connectTimeout - 20 && ms < brisk.connectTimeout + 300,
          `closed after ${ms.toFixed(0)} ms`
        )
      }
    })),
  {
    title: "a refused CONNECT does not stop the connectTimeout",
    run: async (given) => {
      const io = await connection(given)
      await io.send("0/random,")
      await io.expect('4/random,{"message":"Invalid namespace"}')
      await io.closed()
    }
  },
  {
    title: "one CONNECT in time: heartbeats go on past connectTimeout, also after DISCONNECT",
    run: async (given) => {
      const io = await socketIo(given.server.endpoint, "websocket", { silent: true })
      given.cleanup(() => io.leave())
      await io.join()
      await io.send("1")
      const from = performance.now()
      let pings = 0
      while (performance.now() - from < brisk.connectTimeout + 400) {
        assert.equal(await io.engine.next(), "2")
        await io.engine.send("3")
        pings++
      }
      assert.ok(pings >= 4)
      await io.join()
    }
  },
  {
    title: "the heart stops: the socket is disconnected with a ping timeout",
    run: async (given) => {
      const io = await socketIo(given.server.endpoint, "websocket", { silent: true })
      given.cleanup(() => io.leave())
      const sid = await io.join()
      assert.equal((await given.server.disconnectOf(sid)).reason, "ping timeout")
      await io.closed()
    }
  }
]

/** Suites about connecting and disconnecting. */
export const connectingSuites = [
  socketSuite("Socket.IO CONNECT", calm, connecting),
  socketSuite("Socket.IO middleware", calm, middleware),
  socketSuite("Socket.IO DISCONNECT", calm, disconnecting),
  socketSuite("Socket.IO in time", brisk, inTime, { timed: true })
]

/** What a packet for `nsp` begins with. */
export { prefix }
