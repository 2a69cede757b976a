/** Chapters "广播事件" and "房间". */
import { assert } from "@effect/vitest"
import type { Server, Socket } from "effect-socketio/facade"
import type { Socket as ClientSocket } from "effect-socketio/facade/client"
import { connected, event, type Programs, type Scene } from "../Scene.ts"

/** How often each client has got the event, when everything before has arrived. */
const counts = async (
  io: Pick<Server, "emit">,
  clients: ReadonlyArray<ClientSocket>,
  name: string,
  act: () => unknown
): Promise<ReadonlyArray<number>> => {
  const received = clients.map(() => 0)
  clients.forEach((client, index) => client.on(name, () => received[index]!++))
  const ends = clients.map((client) => event(client, "end"))
  await act()
  io.emit("end")
  await Promise.all(ends)
  return received
}

const clientsOf = (pairs: ReadonlyArray<readonly [Socket, ClientSocket]>) => pairs.map(([, client]) => client)

const three = async (scene: Scene, io: Server, url: string) => [
  await scene.pair(io, url),
  await scene.pair(io, url),
  await scene.pair(io, url)
]

export const broadcasting: Programs = {
  "to all": async (scene) => {
    const [io, url] = await scene.serve()
    const pairs = await three(scene, io, url)
    const received = event(pairs[0]![1], "hello")
    assert.deepStrictEqual(await counts(io, clientsOf(pairs), "hello", () => io.emit("hello", "world")), [1, 1, 1])
    assert.deepStrictEqual(await received, ["world"])
  },

  "to all but the sender": async (scene) => {
    const [io, url] = await scene.serve()
    const first = await connected(scene.client(url))
    const received = event(first, "hello")
    io.on("connection", (socket) => {
      socket.broadcast.emit("hello", "world")
    })
    const second = scene.client(url)
    const overheard: Array<unknown> = []
    second.onAny((name) => overheard.push(name))
    assert.deepStrictEqual(await received, ["world"])
    const end = event(second, "end")
    await connected(second)
    io.emit("end")
    await end
    assert.deepStrictEqual(overheard, ["end"])
  },

  "to the clients of this server": async (scene) => {
    const [[io, url], [other, otherUrl]] = await scene.cluster()
    const [, here] = await scene.pair(io, url)
    const [, there] = await scene.pair(other, otherUrl)
    const clients = [here, there]
    const everybody = await counts(io, clients, "hello", () => io.emit("hello", "everybody"))
    assert.deepStrictEqual(everybody, [1, 1])
    const local = await counts(io, clients, "hello", () => io.local.emit("hello", "world"))
    assert.deepStrictEqual(local, [1, 0])
  },

  "to a room": async (scene) => {
    const [io, url] = await scene.serve()
    const outside = await connected(scene.client(url))
    io.on("connection", (socket) => {
      socket.join("some room")
    })
    const inside = await connected(scene.client(url))
    const clients = [outside, inside]
    const received = await counts(io, clients, "some event", () => io.to("some room").emit("some event"))
    assert.deepStrictEqual(received, [0, 1])
    const theSame = await counts(io, clients, "same event", () => io.in("some room").emit("same event"))
    assert.deepStrictEqual(theSame, [0, 1])
  },

  "to several rooms": async (scene) => {
    const [io, url] = await scene.serve()
    const pairs = [...(await three(scene, io, url)), await scene.pair(io, url)]
    await pairs[0]![0].join(["room1", "room2", "room3"])
    await pairs[1]![0].join("room2")
    await pairs[2]![0].join("room3")
    const received = await counts(io, clientsOf(pairs), "some event", () =>
      io.to("room1").to("room2").to("room3").emit("some event")
    )
    assert.deepStrictEqual(received, [1, 1, 1, 0])
  },

  "to the others in a room": async (scene) => {
    const [io, url] = await scene.serve()
    const [member, outsider] = await three(scene, io, url)
    await member![0].join("some room")
    const received = event(member![1], "some event")
    const overheard: Array<unknown> = []
    outsider![1].on("some event", () => overheard.push("outsider"))
    io.on("connection", (socket) => {
      socket.join("some room")
      socket.to("some room").emit("some event")
    })
    const sender = scene.client(url)
    sender.on("some event", () => overheard.push("sender"))
    assert.deepStrictEqual(await received, [])
    await connected(sender)
    const ends = [event(sender, "end"), event(outsider![1], "end")]
    io.emit("end")
    await Promise.all(ends)
    assert.deepStrictEqual(overheard, [])
  },

  "devices of a user": async (scene) => {
    const fetchUserId = async (socket: Socket): Promise<string> => String(socket.handshake.auth["user"])
    const [io, url] = await scene.serve()
    let arrivals = 0
    const both = new Promise<string>((resolve) => {
      io.on("connection", async (socket) => {
        const userId = await fetchUserId(socket)

        socket.join(userId)

        if (++arrivals === 3) resolve("user1")
      })
    })
    const users = ["user1", "user1", "user2"]
    const clients = users.map((user) => scene.client(url, { auth: { user } }))
    await Promise.all(clients.map((client) => connected(client)))
    const userId = await both
    const received = await counts(io, clients, "hi", () => io.to(userId).emit("hi"))
    assert.deepStrictEqual(received, [1, 1, 0])
  },

  "notifications of an entity": async (scene) => {
    const fetchProjects = async (socket: Socket): Promise<ReadonlyArray<{ readonly id: string }>> =>
      socket.handshake.auth["projects"]
    const [io, url] = await scene.serve()
    const ready = new Promise<void>((resolve) => {
      let arrivals = 0
      io.on("connection", async (socket) => {
        const projects = await fetchProjects(socket)

        projects.forEach((project) => socket.join("project:" + project.id))

        if (++arrivals === 2) resolve()
      })
    })
    const clients = [
      scene.client(url, { auth: { projects: [{ id: "1" }, { id: "4321" }] } }),
      scene.client(url, { auth: { projects: [{ id: "1" }] } })
    ]
    await Promise.all([ready, ...clients.map((client) => connected(client))])
    const received = await counts(io, clients, "project updated", () => io.to("project:4321").emit("project updated"))
    assert.deepStrictEqual(received, [1, 0])
  },

  "rooms at the disconnection": async (scene) => {
    const { console } = scene
    const [io, url] = await scene.serve()
    io.on("connection", (socket) => {
      socket.join("room1")
      socket.on("disconnecting", () => {
        console.log([...socket.rooms])
      })

      socket.on("disconnect", () => {
        console.log(socket.rooms.size)
      })
    })
    const client = await connected(scene.client(url))
    const { id } = client
    client.disconnect()
    assert.deepStrictEqual(await scene.printed(), [[id, "room1"]])
    assert.deepStrictEqual(await scene.printed(), [0])
    assert.isFalse(io.of("/").adapter.rooms.has("room1"))
  },

  "rooms and sids of the adapter": async (scene) => {
    const [io, url] = await scene.serve()
    const [socket] = await scene.pair(io, url)
    const [custom] = await scene.pair(io.of("/my-namespace"), `${url}/my-namespace`)
    await socket.join("room1")
    await custom.join("room2")
    {
      const rooms = io.of("/").adapter.rooms
      const sids = io.of("/").adapter.sids
      assert.deepStrictEqual(rooms.get("room1"), new Set([socket.id]))
      assert.deepStrictEqual(sids.get(socket.id), new Set([socket.id, "room1"]))
      assert.deepStrictEqual([...rooms.keys()].sort(), [socket.id, "room1"].sort())
      assert.strictEqual(sids.size, 1)
    }
    {
      const rooms = io.of("/my-namespace").adapter.rooms
      const sids = io.of("/my-namespace").adapter.sids
      assert.deepStrictEqual(rooms.get("room2"), new Set([custom.id]))
      assert.deepStrictEqual([...sids], [[custom.id, new Set([custom.id, "room2"])]])
    }
  },

  "events of rooms": async (scene) => {
    const { console } = scene
    const [io, url] = await scene.serve()
    const [socket] = await scene.pair(io, url)
    const { id } = socket
    io.of("/").adapter.on("create-room", (room) => {
      console.log(`room ${room} was created`)
    })

    io.of("/").adapter.on("join-room", (room, id) => {
      console.log(`socket ${id} has joined room ${room}`)
    })
    io.of("/").adapter.on("leave-room", (room, id) => console.log(`socket ${id} has left room ${room}`))
    io.of("/").adapter.on("delete-room", (room) => console.log(`room ${room} was deleted`))
    await socket.join("room1")
    assert.deepStrictEqual(await scene.printed(), ["room room1 was created"])
    assert.deepStrictEqual(await scene.printed(), [`socket ${id} has joined room room1`])
    await socket.leave("room1")
    assert.deepStrictEqual(await scene.printed(), [`socket ${id} has left room room1`])
    assert.deepStrictEqual(await scene.printed(), ["room room1 was deleted"])
  }
}
