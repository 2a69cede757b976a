/** Chapter "监听事件". Listeners work alike on both ends, so these programs are run on each. */
import { assert } from "@effect/vitest"
import Joi from "joi"
import events from "node:events"
import type { Socket } from "effect-socketio/facade"
import type { Socket as ClientSocket } from "effect-socketio/facade/client"
import { connected, event, type Programs, type Scene } from "../Scene.ts"

type Args = Array<unknown>

/** What both ends have for listeners. */
interface Listens {
  on(name: string, listener: (...args: Args) => void): unknown
  once(name: string, listener: (...args: Args) => void): unknown
  off(name: string, listener: (...args: Args) => void): unknown
  removeAllListeners(name?: string): unknown
  onAny(listener: (...args: Args) => void): unknown
  prependAny(listener: (...args: Args) => void): unknown
  offAny(listener?: (...args: Args) => void): unknown
}

/** Runs a program with the listening end and a function that has the other end emit, and returns when that has arrived. */
const onBothEnds = async (
  scene: Scene,
  program: (socket: Listens, emit: (name: string, ...args: Args) => Promise<void>) => Promise<void>
): Promise<void> => {
  const [io, url] = await scene.serve()
  const [server, client] = await scene.pair(io, url)
  const emitter = (from: Socket | ClientSocket, to: Socket | ClientSocket) => {
    let turn = 0
    return async (name: string, ...args: Args) => {
      const marker = `end ${turn++}`
      const arrived = event(to, marker)
      from.emit(name, ...args)
      from.emit(marker)
      await arrived
    }
  }
  await program(server as unknown as Listens, emitter(client, server))
  await program(client as unknown as Listens, emitter(server, client))
}

const withoutMarkers = (calls: ReadonlyArray<Args>): ReadonlyArray<Args> =>
  calls.filter(([name]) => !String(name).startsWith("end"))

export const listening: Programs = {
  on: (scene) =>
    onBothEnds(scene, async (socket, emit) => {
      const calls: Array<Args> = []
      socket.on("details", (...args) => {
        calls.push(args)
      })
      await emit("details", 1, "2")
      await emit("details")
      assert.deepStrictEqual(calls, [[1, "2"], []])
    }),

  once: (scene) =>
    onBothEnds(scene, async (socket, emit) => {
      const calls: Array<Args> = []
      socket.once("details", (...args) => {
        calls.push(args)
      })
      await emit("details", 1)
      await emit("details", 2)
      assert.deepStrictEqual(calls, [[1]])
    }),

  off: (scene) =>
    onBothEnds(scene, async (socket, emit) => {
      const calls: Array<Args> = []
      const listener = (...args: Args) => {
        calls.push(args)
      }

      socket.on("details", listener)
      await emit("details", 1)

      socket.off("details", listener)
      await emit("details", 2)
      assert.deepStrictEqual(calls, [[1]])
    }),

  removeAllListeners: (scene) =>
    onBothEnds(scene, async (socket, emit) => {
      const calls: Array<Args> = []
      for (const name of ["details", "details", "other"]) socket.on(name, (...args) => calls.push([name, ...args]))
      await emit("details", 1)
      socket.removeAllListeners("details")
      await emit("details", 2)
      await emit("other", 3)
      socket.removeAllListeners()
      await emit("other", 4)
      assert.deepStrictEqual(calls, [
        ["details", 1],
        ["details", 1],
        ["other", 3]
      ])
    }),

  onAny: (scene) =>
    onBothEnds(scene, async (socket, emit) => {
      const calls: Array<Args> = []
      socket.onAny((eventName, ...args) => {
        calls.push([eventName, ...args])
      })
      await emit("details", 1)
      assert.deepStrictEqual(withoutMarkers(calls), [["details", 1]])
    }),

  prependAny: (scene) =>
    onBothEnds(scene, async (socket, emit) => {
      const calls: Array<Args> = []
      socket.onAny((eventName, ...args) => calls.push([eventName, "second", ...args]))
      socket.prependAny((eventName, ...args) => {
        calls.push([eventName, "first", ...args])
      })
      await emit("details", 1)
      assert.deepStrictEqual(withoutMarkers(calls), [
        ["details", "first", 1],
        ["details", "second", 1]
      ])
    }),

  offAny: (scene) =>
    onBothEnds(scene, async (socket, emit) => {
      const calls: Array<Args> = []
      const listener = (eventName: unknown, ...args: Args) => {
        calls.push([eventName, ...args])
      }

      socket.onAny(listener)
      await emit("details", 1)

      socket.offAny(listener)
      await emit("details", 2)

      socket.onAny(listener)
      socket.onAny(listener)
      socket.offAny()
      await emit("details", 3)
      assert.deepStrictEqual(withoutMarkers(calls), [["details", 1]])
    }),

  "validation with joi": async (scene) => {
    const userSchema = Joi.object({
      username: Joi.string().max(30).required(),
      email: Joi.string().email().required()
    })
    const [io, url] = await scene.serve()
    io.on("connection", (socket) => {
      socket.on("create user", (payload, callback) => {
        if (typeof callback !== "function") {
          return void socket.disconnect()
        }
        const { error } = userSchema.validate(payload)
        if (error) {
          return callback({
            status: "KO",
            error
          })
        }
        callback({
          status: "OK"
        })
      })
    })
    const socket = await connected(scene.client(url))
    const user = { username: "alice", email: "alice@example.com" }
    assert.deepStrictEqual(await socket.emitWithAck("create user", user), { status: "OK" })
    const refused = await socket.emitWithAck("create user", { ...user, username: "x".repeat(31) })
    assert.strictEqual(refused.status, "KO")
    assert.strictEqual(refused.error.details[0].type, "string.max")
    const disconnection = event(socket, "disconnect")
    socket.emit("create user", user)
    assert.strictEqual((await disconnection)[0], "io server disconnect")
  },

  "errors answered by hand": async (scene) => {
    const results = [["a"]]
    const findItems = async () => {
      const items = results.shift()
      if (items === undefined) throw new Error("no database")
      return items
    }
    const [io, url] = await scene.serve()
    io.on("connection", (socket) => {
      socket.on("list items", async (callback) => {
        try {
          const items = await findItems()
          callback({
            status: "OK",
            items
          })
        } catch {
          callback({
            status: "NOK"
          })
        }
      })
    })
    const socket = await connected(scene.client(url))
    assert.deepStrictEqual(await socket.emitWithAck("list items"), { status: "OK", items: ["a"] })
    assert.deepStrictEqual(await socket.emitWithAck("list items"), { status: "NOK" })
  },

  captureRejections: async (scene) => {
    const { console } = scene
    const findProducts = async (): Promise<ReadonlyArray<string>> => {
      throw new Error("no database")
    }
    events.captureRejections = true
    scene.defer(() => {
      events.captureRejections = false
    })
    const [io, url] = await scene.serve()

    io.on("connection", (socket) => {
      socket.on("list products", async () => {
        const products = await findProducts()
        socket.emit("products", products)
      })

      const capturing = socket as Socket & { [events.captureRejectionSymbol]?: (err: Error) => void }
      capturing[events.captureRejectionSymbol] = (err: Error) => {
        console.log(err.message)
        socket.emit("error", err)
      }
    })
    const socket = await connected(scene.client(url))
    const received = event(socket, "error")
    socket.emit("list products")
    assert.deepStrictEqual(await scene.printed(), ["no database"])
    // An Error is serialised without its message, unless it says otherwise.
    assert.deepStrictEqual(await received, [{}])
  }
}
