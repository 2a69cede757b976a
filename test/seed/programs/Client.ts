/** Chapters "Socket 实例（客户端）" and "离线行为". */
import { assert } from "@effect/vitest"
import { io as connect, type Socket } from "effect-socketio/facade/client"
import { Server } from "effect-socketio/facade"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { connected, event, type Programs, type Scene } from "../Scene.ts"

/** The end of a connection, as of one that breaks: the client connects again by itself. */
const cut = (io: Server): void => {
  for (const { conn } of io.of("/").sockets.values()) conn.close()
}

const offline = (scene: Scene, url: string): Socket => scene.client(url, { autoConnect: false })

export const client: Programs = {
  "connected or not": async (scene) => {
    const { console } = scene
    const [io, url] = await scene.serve()
    const socket = scene.client(url, { reconnection: false })
    socket.on("connect", () => {
      console.log(socket.connected)
    })

    socket.on("disconnect", () => {
      console.log(socket.connected)
    })
    assert.deepStrictEqual(await scene.printed(), [true])
    cut(io)
    assert.deepStrictEqual(await scene.printed(), [false])
  },

  "the client's engine": async (scene) => {
    const { console } = scene
    const [io, url] = await scene.serve()
    const seen = new Map<string, Set<string>>([
      ["packet", new Set()],
      ["packetCreate", new Set()],
      ["drain", new Set()]
    ])
    io.on("connection", (socket) => {
      socket.on("hello", (callback) => callback("hi"))
    })
    const socket = scene.client(url, { reconnection: false })
    socket.on("connect", () => {
      const engine = socket.io.engine
      console.log(engine.transport.name)

      engine.once("upgrade", () => {
        console.log(engine.transport.name)
      })

      engine.on("packet", ({ type, data }) => {
        seen.get("packet")!.add(`${type} ${String(data)}`)
      })

      engine.on("packetCreate", ({ type, data }) => {
        seen.get("packetCreate")!.add(`${type} ${String(data)}`)
      })

      engine.on("drain", () => {
        seen.get("drain")!.add("")
      })

      engine.on("close", (reason) => {
        console.log("closed", reason)
      })
    })
    // "In most cases": the upgrade may be over before the namespace has let it in.
    const [transport] = await scene.printed()
    if (transport === "polling") assert.deepStrictEqual(await scene.printed(), ["websocket"])
    else assert.strictEqual(transport, "websocket")
    assert.strictEqual(await socket.emitWithAck("hello"), "hi")
    cut(io)
    assert.deepStrictEqual(await scene.printed(), ["closed", "transport close"])
    assert.isTrue(seen.get("packet")!.has(`message 30["hi"]`))
    assert.isTrue(seen.get("packetCreate")!.has(`message 20["hello"]`))
    assert.strictEqual(seen.get("drain")!.size, 1)
  },

  "events of the manager": async (scene) => {
    const { console } = scene
    const [io, url] = await scene.serve()
    const socket = scene.client(url)
    socket.io.on("reconnect_attempt", () => {
      console.log("reconnect_attempt")
    })

    socket.io.on("reconnect", () => {
      console.log("reconnect")
    })
    await connected(socket)
    cut(io)
    assert.deepStrictEqual(await scene.printed(), ["reconnect_attempt"])
    assert.deepStrictEqual(await scene.printed(), ["reconnect"])
  },

  "connect, at first and again": async (scene) => {
    const { console } = scene
    const [io, url] = await scene.serve()
    const socket = scene.client(url)
    socket.on("connect", () => {
      console.log(Boolean(socket.recovered))
    })
    assert.deepStrictEqual(await scene.printed(), [false])
    cut(io)
    assert.deepStrictEqual(await scene.printed(), [false])
  },

  "listeners added in connect add up": async (scene) => {
    const { console } = scene
    const [io, url] = await scene.serve()
    const bad = scene.client(url)
    bad.on("connect", () => {
      bad.on("data", () => {
        console.log("bad")
      })
    })
    const good = scene.client(url)
    good.on("connect", () => {
      console.log("connect")
    })
    good.on("data", () => {
      console.log("good")
    })
    await Promise.all([connected(bad), connected(good)])
    const again = [event(bad, "connect"), event(good, "connect")]
    cut(io)
    await Promise.all(again)
    assert.deepStrictEqual([await scene.printed(), await scene.printed()], [["connect"], ["connect"]])
    io.emit("data")
    const lines = [await scene.printed(), await scene.printed(), await scene.printed()]
    assert.deepStrictEqual(lines.sort(), [["bad"], ["bad"], ["good"]])
    assert.strictEqual(bad.listeners("data").length, 2)
    assert.strictEqual(good.listeners("data").length, 1)
  },

  "connecting again after a refusal": async (scene) => {
    const [io, url] = await scene.serve()
    const tokens: Array<unknown> = []
    io.use((socket, next) => {
      tokens.push(socket.handshake.auth)
      next(socket.handshake.auth.token === "abcd" ? undefined : new Error("unauthorized"))
    })
    {
      const socket = scene.client(url, { auth: { token: "old" } })
      socket.on("connect_error", () => {
        const { auth } = socket as { auth: { token?: string } }
        auth.token = "abcd"
        socket.connect()
      })
      await connected(socket)
      assert.deepStrictEqual(tokens.splice(0), [{ token: "old" }, { token: "abcd" }])
    }
    {
      // Stand-in for the browser's storage, whose value changes in the meantime.
      const localStorage = {
        values: ["older", "abcd"],
        getItem: (key: string) => ({ [key]: localStorage.values.shift() })
      }
      const socket = connect(url, {
        forceNew: true,
        auth: (cb) => {
          cb(localStorage.getItem("token"))
        }
      })
      scene.keep(socket)

      socket.on("connect_error", () => {
        setTimeout(() => {
          socket.connect()
        }, 10)
      })
      await connected(socket)
      assert.deepStrictEqual(tokens, [{ token: "older" }, { token: "abcd" }])
    }
  },

  "disconnect on the client": async (scene) => {
    const { console } = scene
    const [io, url] = await scene.serve()
    const socket = scene.client(url)
    socket.on("disconnect", (reason) => {
      console.log(reason)
    })
    await connected(socket)
    cut(io)
    assert.deepStrictEqual(await scene.printed(), ["transport close"])
    await connected(socket)
    socket.disconnect()
    assert.deepStrictEqual(await scene.printed(), ["io client disconnect"])
  },

  "connecting again after a disconnection by the server": async (scene) => {
    const { console } = scene
    const [io, url] = await scene.serve()
    const socket = scene.client(url)
    socket.on("disconnect", (reason) => {
      console.log(reason)
      if (reason === "io server disconnect") {
        socket.connect()
      }
    })
    await connected(socket)
    const first = socket.id
    io.disconnectSockets()
    assert.deepStrictEqual(await scene.printed(), ["io server disconnect"])
    await connected(socket)
    assert.notStrictEqual(socket.id, first)
    const second = event(socket, "connect")
    cut(io)
    assert.deepStrictEqual(await scene.printed(), ["transport close"])
    await second
  },

  "reserved names on the client": async (scene) => {
    const [, url] = await scene.serve()
    const socket = await connected(scene.client(url))
    assert.throws(() => socket.emit("disconnect"), `"disconnect" is a reserved event name`)
  },

  "emitting only while connected": async (scene) => {
    const { console } = scene
    const [io, url] = await scene.serve()
    io.on("connection", (socket) => socket.onAny((...args) => console.log(...args)))
    const socket = offline(scene, url)
    const program = () => {
      if (socket.connected) {
        socket.emit("hello")
      } else {
        console.log("offline")
      }
    }
    program()
    assert.deepStrictEqual(await scene.printed(), ["offline"])
    await connected(socket.connect())
    program()
    assert.deepStrictEqual(await scene.printed(), ["hello"])
  },

  "volatile while not connected": async (scene) => {
    const { console } = scene
    const [io, url] = await scene.serve()
    io.on("connection", (socket) => socket.onAny((...args) => console.log(...args)))
    const socket = offline(scene, url)
    socket.volatile.emit("dropped")
    socket.emit("buffered")
    await connected(socket.connect())
    assert.deepStrictEqual(await scene.printed(), ["buffered"])
    socket.emit("end")
    assert.deepStrictEqual(await scene.printed(), ["end"])
  },

  "volatile through a restart of the server": async (scene) => {
    const { console } = scene
    const start = async (port: number): Promise<Server> => {
      const httpServer = createServer()
      const io = new Server(httpServer)
      io.on("connection", (socket) => {
        console.log("connect")

        socket.on("ping", (count) => {
          console.log(count)
        })
      })
      httpServer.listen(port)
      await scene.url(io)
      return io
    }
    const before = await start(0)
    const { port } = before.httpServer.address() as AddressInfo
    const socket = scene.client(`http://localhost:${port}`, { transports: ["websocket"] })
    let count = 0
    const beat = () => {
      socket.volatile.emit("ping", ++count)
    }
    await connected(socket)
    assert.deepStrictEqual(await scene.printed(), ["connect"])
    beat()
    assert.deepStrictEqual(await scene.printed(), [1])
    const lost = event(socket, "disconnect")
    await before.close()
    await lost
    beat()
    const interval = setInterval(beat, 5)
    scene.defer(() => clearInterval(interval))
    const attempts = event(socket.io, "reconnect_error")
    await attempts
    const missed = count
    assert.isAbove(missed, 1)
    await start(port)
    assert.deepStrictEqual(await scene.printed(), ["connect"])
    const [next] = await scene.printed()
    assert.isAbove(next as number, missed)
  }
}
