/** Chapter "使用多个节点": Node's cluster module, with the packages that the seed names. */
import { assert } from "@effect/vitest"
import { connected, event, type Programs } from "../Scene.ts"

export const inCluster: Programs = {
  "cluster with sticky sessions": async (scene) => {
    const [primary, message] = await scene.child("cluster.cjs")
    const { port } = message as { readonly port: number }
    const url = `http://localhost:${port}`
    // The balancer counts the clients of a worker when they are in: one after the other.
    const first = await connected(scene.client(url))
    const firstPid: unknown = await first.emitWithAck("where")
    const second = await connected(scene.client(url))
    assert.notStrictEqual(await second.emitWithAck("where"), firstPid)
    for (const client of [first, second]) {
      if (client.io.engine.transport.name !== "websocket") await event(client.io.engine, "upgrade")
    }

    const said = [event(first, "said"), event(second, "said")]
    first.emit("say", "hello", Buffer.from([1, 2, 3]))
    for (const args of await Promise.all(said)) assert.deepStrictEqual(args, ["hello", Buffer.from([1, 2, 3])])

    const restarted = new Promise((resolve) => primary.once("message", resolve))
    const back = event(first, "connect")
    first.emit("die")
    assert.deepStrictEqual(await restarted, { port, restarted: true })
    await back
    assert.notStrictEqual(await first.emitWithAck("where"), firstPid)
  }
}
