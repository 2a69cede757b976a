/** Chapter "服务器初始化": under Fastify, with the plugin that is in the place of `fastify-socket.io`. */
import { assert } from "@effect/vitest"
import fastify from "fastify"
import type { AddressInfo } from "node:net"
import { fastifySocketIO as fastifyIO } from "effect-socketio/fastify"
import { connected, event, type Programs, type Scene } from "../Scene.ts"

const isServed = async (scene: Scene, url: string): Promise<void> => {
  for (const transports of [["polling"], ["websocket"], ["polling", "websocket"]]) {
    const client = scene.client(url, { transports })
    const [id] = await event(client, "id")
    await connected(client)
    assert.strictEqual(id, client.id)
    const hello = event(client, "hello")
    assert.strictEqual(await (await fetch(url)).text(), "from Fastify")
    assert.deepStrictEqual(await hello, [])
  }
}

export const underFastify: Programs = {
  Fastify: async (scene) => {
    const server = fastify()
    server.register(fastifyIO)

    server.get("/", (_req, reply) => {
      server.io.emit("hello")
      reply.send("from Fastify")
    })

    void server.ready().then(() => {
      server.io.on("connection", (socket) => {
        socket.emit("id", socket.id)
      })
    })

    await server.listen({ port: 0 })
    scene.defer(() => server.close())
    await isServed(scene, `http://localhost:${(server.server.address() as AddressInfo).port}`)
  },

  "Fastify, CommonJS": async (scene) => {
    const [, port] = await scene.child("fastify.cjs")
    await isServed(scene, `http://localhost:${String(port)}`)
  }
}
