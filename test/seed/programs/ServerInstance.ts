/** Chapter "服务器实例": the engine and the methods that act on many sockets. */
import { assert } from "@effect/vitest"
import * as uuid from "uuid"
import type { IncomingMessage } from "node:http"
import { connected, event, type Programs } from "../Scene.ts"

const handshake = (url: string): Promise<Response> => fetch(`${url}/socket.io/?EIO=4&transport=polling`)

const roomsOf = ({ rooms }: { readonly rooms: ReadonlySet<string> }, id: string): ReadonlyArray<string> =>
  [...rooms].filter((room) => room !== id).sort()

export const serverInstance: Programs = {
  "clients of the engine": async (scene) => {
    const [io, url] = await scene.serve()
    await scene.pair(io.of("/admin"), `${url}/admin`)
    await scene.pair(io, url)
    const count = io.engine.clientsCount
    const count2 = io.of("/").sockets.size
    assert.deepStrictEqual([count, count2], [2, 1])
  },

  "session ids of one's own": async (scene) => {
    const [io, url] = await scene.serve()
    const requests: Array<string | undefined> = []
    io.engine.generateId = (req: IncomingMessage) => {
      requests.push(req.url)
      return uuid.v4()
    }
    const text = await (await handshake(url)).text()
    assert.isTrue(uuid.validate(JSON.parse(text.slice(1)).sid))
    assert.match(requests[0] ?? "", /^\/socket\.io\/\?EIO=4/)
    const client = await connected(scene.client(url))
    assert.isTrue(uuid.validate(client.io.engine.id ?? ""))
  },

  "headers of the handshake": async (scene) => {
    const [io, url] = await scene.serve()
    io.engine.on("initial_headers", (headers, req) => {
      assert.match(req.url ?? "", /transport=polling/)
      headers["test"] = "123"
      headers["set-cookie"] = "mycookie=456"
    })
    const opened = await handshake(url)
    assert.strictEqual(opened.headers.get("test"), "123")
    assert.strictEqual(opened.headers.get("set-cookie"), "mycookie=456")
    const { sid } = JSON.parse((await opened.text()).slice(1)) as { sid: string }
    const posted = await fetch(`${url}/socket.io/?EIO=4&transport=polling&sid=${sid}`, { method: "POST", body: "40" })
    assert.strictEqual(posted.headers.get("test"), null)
  },

  "headers of every request": async (scene) => {
    const [io, url] = await scene.serve()
    io.engine.on("headers", (headers) => {
      headers["test"] = "789"
    })
    const opened = await handshake(url)
    assert.strictEqual(opened.headers.get("test"), "789")
    const { sid } = JSON.parse((await opened.text()).slice(1)) as { sid: string }
    const posted = await fetch(`${url}/socket.io/?EIO=4&transport=polling&sid=${sid}`, { method: "POST", body: "40" })
    assert.strictEqual(posted.headers.get("test"), "789")
  },

  "errors of connections": async (scene) => {
    const { console } = scene
    const [io, url] = await scene.serve()
    io.engine.on("connection_error", (err) => {
      console.log(err.req.url)
      console.log(err.code)
      console.log(err.message)
      console.log(err.context)
    })
    const answer = await fetch(`${url}/socket.io/?EIO=4&transport=polling&sid=nobody`)
    assert.strictEqual(answer.status, 400)
    assert.deepStrictEqual(await answer.json(), { code: 1, message: "Session ID unknown" })
    assert.deepStrictEqual(await scene.printed(), ["/socket.io/?EIO=4&transport=polling&sid=nobody"])
    assert.deepStrictEqual(await scene.printed(), [1])
    assert.deepStrictEqual(await scene.printed(), ["Session ID unknown"])
    assert.deepStrictEqual(await scene.printed(), [{ sid: "nobody" }])
  },

  socketsJoin: async (scene) => {
    const [io, url] = await scene.serve()
    const [one] = await scene.pair(io, url)
    const [admin] = await scene.pair(io.of("/admin"), `${url}/admin`)
    await admin.join("room1")
    const theSocketId = one.id
    io.socketsJoin("room1")
    assert.deepStrictEqual(roomsOf(one, one.id), ["room1"])
    io.in("room1").socketsJoin(["room2", "room3"])
    assert.deepStrictEqual(roomsOf(one, one.id), ["room1", "room2", "room3"])
    io.of("/admin").in("room1").socketsJoin("room2")
    assert.deepStrictEqual(roomsOf(admin, admin.id), ["room1", "room2"])
    await one.leave("room1")
    io.in(theSocketId).socketsJoin("room1")
    assert.deepStrictEqual(roomsOf(one, one.id), ["room1", "room2", "room3"])
  },

  socketsLeave: async (scene) => {
    const [io, url] = await scene.serve()
    const [one] = await scene.pair(io, url)
    const [admin] = await scene.pair(io.of("/admin"), `${url}/admin`)
    await one.join(["room1", "room2", "room3"])
    await admin.join(["room1", "room2"])
    const theSocketId = one.id
    io.socketsLeave("room1")
    assert.deepStrictEqual(roomsOf(one, one.id), ["room2", "room3"])
    await one.join("room1")
    io.in("room1").socketsLeave(["room2", "room3"])
    assert.deepStrictEqual(roomsOf(one, one.id), ["room1"])
    io.of("/admin").in("room1").socketsLeave("room2")
    assert.deepStrictEqual(roomsOf(admin, admin.id), ["room1"])
    io.in(theSocketId).socketsLeave("room1")
    assert.deepStrictEqual(roomsOf(one, one.id), [])
  },

  disconnectSockets: async (scene) => {
    const [io, url] = await scene.serve()
    const [, all] = await scene.pair(io, url, { reconnection: false })
    // Another namespace on the same connection shows whether that is closed.
    io.of("/other")
    const kept = await connected(scene.keep(all.io.socket("/other", {})))
    const reasons = async (client: typeof all, act: () => void) => {
      const reason = event(client, "disconnect")
      act()
      return (await reason)[0]
    }
    assert.strictEqual(await reasons(all, () => io.disconnectSockets()), "io server disconnect")
    assert.isTrue(kept.connected)

    const [member, inRoom] = await scene.pair(io, url, { reconnection: false })
    await member.join("room1")
    const other = await connected(scene.keep(inRoom.io.socket("/other", {})))
    const closed = event(other, "disconnect")
    assert.strictEqual(await reasons(inRoom, () => io.in("room1").disconnectSockets(true)), "io server disconnect")
    await closed

    const [admin, adminClient] = await scene.pair(io.of("/admin"), `${url}/admin`)
    await admin.join("room1")
    const [last, lastClient] = await scene.pair(io.of("/admin"), `${url}/admin`)
    await reasons(adminClient, () => io.of("/admin").in("room1").disconnectSockets())
    assert.isTrue(lastClient.connected)
    const theSocketId = last.id
    await reasons(lastClient, () => io.of("/admin").in(theSocketId).disconnectSockets())
    assert.strictEqual(io.of("/admin").sockets.size, 0)
  },

  fetchSockets: async (scene) => {
    const [io, url] = await scene.serve()
    const [one] = await scene.pair(io, url)
    const [two] = await scene.pair(io, url)
    const [admin] = await scene.pair(io.of("/admin"), `${url}/admin`)
    await two.join("room1")
    await admin.join("room1")
    const theSocketId = one.id
    const ids = (sockets: ReadonlyArray<{ readonly id: string }>) => sockets.map(({ id }) => id)
    const sockets = await io.fetchSockets()
    assert.sameMembers(ids(sockets), [one.id, two.id])
    assert.deepStrictEqual(ids(await io.in("room1").fetchSockets()), [two.id])
    assert.deepStrictEqual(ids(await io.of("/admin").in("room1").fetchSockets()), [admin.id])
    assert.deepStrictEqual(ids(await io.in(theSocketId).fetchSockets()), [one.id])
  },

  "what a fetched socket can do": async (scene) => {
    const { console } = scene
    const [io, url] = await scene.serve()
    const [here, client] = await scene.pair(io, url, { auth: { token: "abc" } })
    here.data.username = "alice"
    await here.join("room0")
    const greeting = event(client, "hello")
    const leaving = event(client, "disconnect")
    const sockets = await io.fetchSockets()
    for (const socket of sockets) {
      console.log(socket.id)
      console.log(socket.handshake.auth)
      console.log([...socket.rooms])
      console.log(socket.data)
      socket.emit("hello", "world")
      socket.join("room1")
      socket.leave("room0")
      console.log(roomsOf(here, here.id))
      socket.disconnect()
    }
    assert.deepStrictEqual(await scene.printed(), [here.id])
    assert.deepStrictEqual(await scene.printed(), [{ token: "abc" }])
    assert.deepStrictEqual(await scene.printed(), [[here.id, "room0"]])
    assert.deepStrictEqual(await scene.printed(), [{ username: "alice" }])
    assert.deepStrictEqual(await scene.printed(), [["room1"]])
    assert.deepStrictEqual(await greeting, ["world"])
    assert.deepStrictEqual((await leaving)[0], "io server disconnect")
  },

  "data of a socket on another server": async (scene) => {
    const { console } = scene
    const [[ioA, urlA], [ioB]] = await scene.cluster()
    {
      const io = ioA
      io.on("connection", (socket) => {
        socket.data.username = "alice"
      })
    }
    await connected(scene.client(urlA))
    {
      const io = ioB
      const sockets = await io.fetchSockets()
      console.log(sockets[0]?.data.username)
    }
    assert.deepStrictEqual(await scene.printed(), ["alice"])
  },

  serverSideEmit: async (scene) => {
    const { console } = scene
    const [[ioA], [ioB]] = await scene.cluster()
    ioA.on("hello", () => console.log("the sender"))
    ioA.serverSideEmit("hello", "world")
    const io = ioB
    io.on("hello", (arg1: unknown) => {
      console.log(arg1)
    })
    assert.deepStrictEqual(await scene.printed(), ["world"])
  },

  "serverSideEmit with acknowledgement": async (scene) => {
    const { console } = scene
    const [[ioA], [ioB]] = await scene.cluster()
    ioA.serverSideEmit("ping", (_err: unknown, responses: ReadonlyArray<unknown>) => {
      console.log(responses[0])
    })
    ioB.on("ping", (cb: (answer: string) => void) => {
      cb("pong")
    })
    assert.deepStrictEqual(await scene.printed(), ["pong"])
  },

  "serverSideEmit with many arguments": async (scene) => {
    const { console } = scene
    const [[io], [other]] = await scene.cluster()
    other.on("hello", (...args: ReadonlyArray<unknown>) => console.log(...args))
    io.serverSideEmit("hello", "world", 1, "2", { 3: "4" })
    assert.deepStrictEqual(await scene.printed(), ["world", 1, "2", { 3: "4" }])
    assert.throws(() => io.serverSideEmit("connection"), `"connection" is a reserved event name`)
  },

  "serverSideEmit that is not answered in time": async (scene) => {
    const { console } = scene
    const [[io]] = await scene.cluster()
    io.serverSideEmit("ping", (err: Error | null, responses: ReadonlyArray<unknown>) => {
      if (err) {
        console.log(err.message, responses)
      } else {
        console.log("success", responses)
      }
    })
    // The adapter waits for five seconds.
    assert.deepStrictEqual(await scene.printed(8_000), ["timeout reached: only 0 responses received out of 1", []])
  },

  "serverSideEmit that is answered": async (scene) => {
    const { console } = scene
    const [[io], [other]] = await scene.cluster()
    other.on("ping", (cb: (answer: string) => void) => cb("pong"))
    io.serverSideEmit("ping", (err: Error | null, responses: ReadonlyArray<unknown>) => {
      if (err) {
        console.log(err.message, responses)
      } else {
        console.log("success", responses)
      }
    })
    assert.deepStrictEqual(await scene.printed(), ["success", ["pong"]])
  },

  "connection of a server": async (scene) => {
    const { console } = scene
    const [io, url] = await scene.serve()
    io.on("connection", (socket) => {
      console.log("connection", socket.id)
    })
    io.on("connect", (socket) => {
      console.log("connect", socket.id)
    })
    const client = await connected(scene.client(url))
    const names = [await scene.printed(), await scene.printed()].sort()
    assert.deepStrictEqual(names, [
      ["connect", client.id],
      ["connection", client.id]
    ])
  }
}
