/**
 * System calls: what a turn brings leaves with one write to each connection. Counts, not timings, so that a slower machine changes nothing.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Message from "../../bench/Message.ts"
import * as Client from "../../bench/load/Client.ts"
import * as Frame from "../../bench/load/Frame.ts"
import { effectServer, facadeServer, type Running } from "./Servers.ts"

const receive = (client: Client.Client, count: number): Promise<void> =>
  new Promise((resolve) => {
    let received = 0
    client.onPacket = () => {
      if (++received === count) resolve()
    }
  })

const withClients = async (
  start: () => Promise<Running>,
  count: number,
  use: (server: Running, clients: ReadonlyArray<Client.Client>) => Promise<void>
): Promise<void> => {
  const server = await start()
  const clients = await Client.many(count, 10, () => Client.webSocket(server.port))
  try {
    // An echo each: what belongs to connecting is behind.
    await Client.settleEach(clients, () => [])
    server.writes()
    await use(server, clients)
  } finally {
    for (const client of clients) client.destroy()
    await server.close()
  }
}

const servers = [
  ["Effect API", () => effectServer()],
  ["facade", () => facadeServer()]
] as const

describe.each(servers)("system calls of the %s", (_name, start) => {
  it("answers a burst of 32 with one write", () =>
    withClients(start, 1, async (server, [client]) => {
      const answered = receive(client!, 32)
      client!.write(Frame.repeat(Frame.text(Message.echo), 32))
      await answered
      assert.strictEqual(server.writes(), 1)
    }))

  it("answers a single event with one write", () =>
    withClients(start, 1, async (server, [client]) => {
      const answered = receive(client!, 1)
      client!.write(Frame.text(Message.echo))
      await answered
      assert.strictEqual(server.writes(), 1)
    }))

  it("sends ten broadcasts of a turn with one write to each of twenty", () =>
    withClients(start, 20, async (server, clients) => {
      const delivered = Promise.all(clients.map((client) => receive(client, 10)))
      clients[0]!.write(Frame.repeat(Frame.text(Message.publish), 10))
      await delivered
      assert.strictEqual(server.writes(), 20)
    }))

  it("connects on WebSocket with two writes: the upgrade with the handshake, and the namespace", async () => {
    const server = await start()
    const client = await Client.webSocket(server.port)
    assert.strictEqual(server.writes(), 2)
    client.destroy()
    await server.close()
  })
})
