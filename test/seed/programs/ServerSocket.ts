/** Chapter "Socket 实例（服务器端）". */
import { assert } from "@effect/vitest"
import type { Socket } from "effect-socketio/facade"
import { connected, event, type Programs } from "../Scene.ts"

interface User {
  readonly name: string
}

/** What the seed's programs hang on a socket. */
type WithUser = Socket & { user?: User; username?: string }

export const serverSocket: Programs = {
  "id on both sides": async (scene) => {
    const { console } = scene
    const [io, url] = await scene.serve()
    io.on("connection", (socket) => {
      console.log(socket.id)
    })
    const socket = scene.client(url)
    socket.on("connect", () => {
      console.log(socket.id)
    })
    const [[first], [second]] = [await scene.printed(), await scene.printed()]
    assert.strictEqual(first, second)
    assert.match(String(first), /^[\w-]{20}$/)
  },

  "id on both sides, until the disconnection": async (scene) => {
    const { console } = scene
    const [io, url] = await scene.serve()
    io.on("connection", (socket) => {
      console.log(socket.id)
    })
    const socket = scene.client(url, { reconnection: false })
    socket.on("connect", () => {
      console.log(socket.id)
    })
    socket.on("disconnect", () => {
      console.log(socket.id)
    })
    const [[first], [second]] = [await scene.printed(), await scene.printed()]
    assert.strictEqual(first, second)
    assert.match(String(first), /^[\w-]{20}$/)
    io.disconnectSockets()
    assert.deepStrictEqual(await scene.printed(), [undefined])
  },

  "private messages": async (scene) => {
    const [io, url] = await scene.serve()
    io.on("connection", (socket) => {
      socket.on("private message", (anotherSocketId, msg) => {
        socket.to(anotherSocketId).emit("private message", socket.id, msg)
      })
    })
    const [one, two, three] = await Promise.all([1, 2, 3].map(() => connected(scene.client(url))))
    const overheard: Array<unknown> = []
    for (const other of [one!, three!]) other.onAny((...args) => overheard.push(args))
    const received = event(two!, "private message")
    one!.emit("private message", two!.id, "psst")
    assert.deepStrictEqual(await received, [one!.id, "psst"])
    assert.deepStrictEqual(overheard, [])
  },

  rooms: async (scene) => {
    const { console } = scene
    const [io, url] = await scene.serve()
    io.on("connection", (socket) => {
      console.log(new Set(socket.rooms))
      socket.join("room1")
      console.log(new Set(socket.rooms))
    })
    const { id } = await connected(scene.client(url))
    assert.deepStrictEqual(await scene.printed(), [new Set([id])])
    assert.deepStrictEqual(await scene.printed(), [new Set([id, "room1"])])
  },

  "the connection below": async (scene) => {
    const { console } = scene
    const seen = new Map<string, Set<string>>([
      ["packet", new Set()],
      ["packetCreate", new Set()],
      ["drain", new Set()]
    ])
    const [io, url] = await scene.serve()
    io.on("connection", (socket) => {
      console.log("initial transport", socket.conn.transport.name)

      socket.conn.once("upgrade", () => {
        console.log("upgraded transport", socket.conn.transport.name)
      })

      socket.conn.on("packet", ({ type, data }) => {
        seen.get("packet")!.add(`${type} ${String(data)}`)
      })

      socket.conn.on("packetCreate", ({ type, data }) => {
        seen.get("packetCreate")!.add(`${type} ${String(data)}`)
      })

      socket.conn.on("drain", () => {
        seen.get("drain")!.add("")
      })

      socket.conn.on("close", (reason) => {
        console.log("closed", reason)
      })
      socket.on("hello", (callback) => callback("hi"))
    })
    const client = scene.client(url, { reconnection: false })
    assert.deepStrictEqual(await scene.printed(), ["initial transport", "polling"])
    assert.deepStrictEqual(await scene.printed(), ["upgraded transport", "websocket"])
    assert.strictEqual(await client.emitWithAck("hello"), "hi")
    client.disconnect()
    assert.deepStrictEqual(await scene.printed(), ["closed", "transport close"])
    assert.isTrue(seen.get("packet")!.has(`message 20["hello"]`))
    assert.isTrue(seen.get("packetCreate")!.has(`message 30["hi"]`))
    assert.strictEqual(seen.get("drain")!.size, 1)
  },

  "attributes of one's own": async (scene) => {
    const { console } = scene
    const [io, url] = await scene.serve()
    const fetchUser = async (socket: Socket): Promise<User> => {
      if (socket.handshake.auth.token !== "abc") throw new Error("nobody")
      return { name: "alice" }
    }
    io.use(async (socket: WithUser, next) => {
      try {
        const user = await fetchUser(socket)
        socket.user = user
        // The block forgets this line; without it nobody is ever let in.
        next()
      } catch {
        next(new Error("unknown user"))
      }
    })

    io.on("connection", (socket: WithUser) => {
      console.log(socket.user)
      socket.on("set username", (username) => {
        socket.username = username
        console.log(socket.username)
      })
    })
    const [refused] = await event(scene.client(url, { auth: { token: "no" } }), "connect_error")
    assert.strictEqual((refused as Error).message, "unknown user")
    const client = scene.client(url, { auth: { token: "abc" } })
    assert.deepStrictEqual(await scene.printed(), [{ name: "alice" }])
    client.emit("set username", "al")
    assert.deepStrictEqual(await scene.printed(), ["al"])
  },

  "middleware of a socket": async (scene) => {
    const { console } = scene
    const [io, url] = await scene.serve()
    const [socket, client] = await scene.pair(io, url)
    socket.use(([event, ...args], next) => {
      console.log(event, ...args)
      next()
    })
    const received = event(socket, "hello")
    client.emit("hello", 1, "2")
    assert.deepStrictEqual(await scene.printed(), ["hello", 1, "2"])
    assert.deepStrictEqual(await received, [1, "2"])
  },

  "middleware of a socket refuses an event": async (scene) => {
    const { console } = scene
    const isUnauthorized = (event: string): boolean => event === "secret"
    const [io, url] = await scene.serve()
    io.on("connection", (socket) => {
      socket.use(([event], next) => {
        if (isUnauthorized(event)) {
          return next(new Error("unauthorized event"))
        }
        next()
      })

      socket.on("error", (err) => {
        if (err && err.message === "unauthorized event") {
          socket.disconnect()
        }
      })
      socket.on("secret", () => console.log("secret"))
      socket.on("public", () => console.log("public"))
    })
    const client = scene.client(url)
    client.emit("public")
    assert.deepStrictEqual(await scene.printed(), ["public"])
    const disconnection = event(client, "disconnect")
    client.emit("secret")
    client.emit("public")
    assert.strictEqual((await disconnection)[0], "io server disconnect")
    console.log("end")
    assert.deepStrictEqual(await scene.printed(), ["end"])
  },

  "disconnect on the server": async (scene) => {
    const { console } = scene
    const [io, url] = await scene.serve()
    io.on("connection", (socket) => {
      socket.on("disconnect", (reason) => {
        console.log(reason)
      })
    })
    const leaving = await connected(scene.client(url))
    leaving.disconnect()
    assert.deepStrictEqual(await scene.printed(), ["client namespace disconnect"])
    await connected(scene.client(url))
    io.disconnectSockets()
    assert.deepStrictEqual(await scene.printed(), ["server namespace disconnect"])
    const lost = await connected(scene.client(url, { reconnection: false }))
    lost.io.engine.close()
    assert.deepStrictEqual(await scene.printed(), ["transport close"])
  },

  disconnecting: async (scene) => {
    const [io, url] = await scene.serve()
    io.on("connection", (socket) => {
      socket.on("disconnecting", () => {
        for (const room of socket.rooms) {
          if (room !== socket.id) {
            socket.to(room).emit("user has left", socket.id)
          }
        }
      })
      socket.on("join", (room, callback) => {
        socket.join(room)
        callback()
      })
    })
    const [staying, leaving] = await Promise.all([1, 2].map(() => connected(scene.client(url))))
    await staying!.emitWithAck("join", "room1")
    await leaving!.emitWithAck("join", "room1")
    const left = event(staying!, "user has left")
    const { id } = leaving!
    leaving!.disconnect()
    assert.deepStrictEqual(await left, [id])
  },

  "reserved names on the server": async (scene) => {
    const [io, url] = await scene.serve()
    const [socket] = await scene.pair(io, url)
    assert.throws(() => socket.emit("disconnect"), `"disconnect" is a reserved event name`)
  }
}
