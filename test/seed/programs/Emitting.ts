/** Chapter "发送事件". */
import { assert } from "@effect/vitest"
import { connected, event, type Programs } from "../Scene.ts"

export const emitting: Programs = {
  "an event to the client": async (scene) => {
    const { console } = scene
    const [io, url] = await scene.serve()
    io.on("connection", (socket) => {
      socket.emit("hello", "world")
    })
    const socket = scene.client(url)
    socket.on("hello", (arg) => {
      console.log(arg)
    })
    assert.deepStrictEqual(await scene.printed(), ["world"])
  },

  "an event to the server": async (scene) => {
    const { console } = scene
    const [io, url] = await scene.serve()
    io.on("connection", (socket) => {
      socket.on("hello", (arg) => {
        console.log(arg)
      })
    })
    const socket = scene.client(url)
    socket.emit("hello", "world")
    assert.deepStrictEqual(await scene.printed(), ["world"])
  },

  "any number of arguments": async (scene) => {
    const { console } = scene
    const [io, url] = await scene.serve()
    io.on("connection", (socket) => {
      socket.emit("hello", 1, "2", { 3: "4", 5: Buffer.from([6]) })
    })
    const socket = scene.client(url)
    socket.on("hello", (arg1, arg2, arg3) => {
      console.log(arg1)
      console.log(arg2)
      console.log(arg3)
    })
    assert.deepStrictEqual(await scene.printed(), [1])
    assert.deepStrictEqual(await scene.printed(), ["2"])
    // In Node the client hands out a Buffer, as the official one does; the block shows a browser.
    assert.deepStrictEqual(await scene.printed(), [{ 3: "4", 5: Buffer.from([6]) }])
  },

  "objects need no JSON.stringify": async (scene) => {
    const [io, url] = await scene.serve()
    const [receiver, socket] = await scene.pair(io, url)
    const bad = event(receiver, "hello")
    socket.emit("hello", JSON.stringify({ name: "John" }))
    assert.deepStrictEqual(await bad, [`{"name":"John"}`])
    const good = event(receiver, "hello")
    socket.emit("hello", { name: "John" })
    assert.deepStrictEqual(await good, [{ name: "John" }])
  },

  "maps and sets by hand, dates by themselves": async (scene) => {
    const [io, url] = await scene.serve()
    const [receiver, socket] = await scene.pair(io, url)
    const myMap = new Map([["a", 1]])
    const mySet = new Set(["b"])
    const serializedMap = [...myMap.entries()]
    const serializedSet = [...mySet.keys()]
    const received = event(receiver, "hello")
    socket.emit("hello", serializedMap, serializedSet, new Date(0), myMap, mySet)
    assert.deepStrictEqual(await received, [[["a", 1]], ["b"], "1970-01-01T00:00:00.000Z", {}, {}])
  },

  toJSON: async (scene) => {
    const [io, url] = await scene.serve()
    const [receiver, socket] = await scene.pair(io, url)
    class Hero {
      readonly #hp: number

      constructor() {
        this.#hp = 42
      }

      toJSON() {
        return { hp: this.#hp }
      }
    }
    const received = event(receiver, "here's a hero")
    socket.emit("here's a hero", new Hero())
    assert.deepStrictEqual(await received, [{ hp: 42 }])
  },

  "acknowledgement with arguments": async (scene) => {
    const { console } = scene
    const [io, url] = await scene.serve()
    io.on("connection", (socket) => {
      socket.on("update item", (arg1, arg2, callback) => {
        console.log(arg1)
        console.log(arg2)
        callback({
          status: "ok"
        })
      })
    })
    const socket = scene.client(url)
    socket.emit("update item", "1", { name: "updated" }, (response: { readonly status: string }) => {
      console.log(response.status)
    })
    assert.deepStrictEqual(await scene.printed(), ["1"])
    assert.deepStrictEqual(await scene.printed(), [{ name: "updated" }])
    assert.deepStrictEqual(await scene.printed(), ["ok"])
  },

  "timeout of the client": async (scene) => {
    const { console } = scene
    const [io, url] = await scene.serve()
    io.on("connection", (socket) => {
      socket.on("answered", (callback) => callback())
    })
    const socket = await connected(scene.client(url))
    for (const [name, millis] of [
      ["my-event", 50],
      ["answered", 5000]
    ] as const) {
      const ask = (name: string) => {
        if (name === "answered") socket.timeout(millis).emit("answered", (err: Error | null) => console.log(err))
        else {
          socket.timeout(millis).emit("my-event", (err: Error | null) => {
            if (err) {
              console.log(err.message)
            }
          })
        }
      }
      ask(name)
    }
    assert.sameDeepMembers([await scene.printed(), await scene.printed()], [[null], ["operation has timed out"]])
  },

  "timeout of the server": async (scene) => {
    const { console } = scene
    const [io, url] = await scene.serve()
    const [socket] = await scene.pair(io, url)
    socket.timeout(50).emit("my-event", (err: Error | null) => {
      if (err) {
        console.log(err.message)
      }
    })
    assert.deepStrictEqual(await scene.printed(), ["operation has timed out"])
  },

  "timeout and acknowledgement": async (scene) => {
    const { console } = scene
    const [io, url] = await scene.serve()
    const [peer, socket] = await scene.pair(io, url)
    const ask = (millis: number) => {
      socket.timeout(millis).emit("my-event", (err: Error | null, response: unknown) => {
        if (err) {
          console.log(err.message)
        } else {
          console.log(response)
        }
      })
    }
    ask(50)
    assert.deepStrictEqual(await scene.printed(), ["operation has timed out"])
    peer.on("my-event", (callback) => callback("done"))
    ask(5000)
    assert.deepStrictEqual(await scene.printed(), ["done"])
  },

  "volatile event": async (scene) => {
    const [io, url] = await scene.serve()
    const [peer, client] = await scene.pair(io, url, { transports: ["websocket"] })
    const toServer = event(peer, "hello")
    client.volatile.emit("hello", "might or might not be received")
    assert.deepStrictEqual(await toServer, ["might or might not be received"])
    const toClient = event(client, "hello")
    peer.volatile.emit("hello", "might or might not be received")
    assert.deepStrictEqual(await toClient, ["might or might not be received"])
  }
}
