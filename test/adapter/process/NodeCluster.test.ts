/** Workers of Node's cluster as processes: ours and those of the official package together, under either primary. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { type Client, client, type Cluster, start, until } from "./Cluster.ts"

/** A loaded machine takes its time to start processes. */
const patience = 180_000

const connectAll = ({ workers, exited }: Cluster): Promise<ReadonlyArray<Client>> =>
  Promise.all(workers.filter(({ id }) => !exited.includes(id)).map(({ port }) => client(`http://127.0.0.1:${port}`)))

const ask = (client: Client, event: string, ...args: ReadonlyArray<unknown>): Promise<unknown> =>
  client.socket.timeout(60_000).emitWithAck(event, ...args)

const acquainted = (clients: ReadonlyArray<Client>): Promise<void> =>
  until("the workers know each other", async () => {
    const counts = await Promise.all(clients.map((client) => ask(client, "count")))
    return counts.every((count) => count === clients.length)
  })

const sorted = (values: unknown): Array<unknown> => [...(values as Array<unknown>)].sort()

const exchange = async (cluster: Cluster): Promise<void> => {
  const clients = await connectAll(cluster)
  await acquainted(clients)
  for (const each of clients) await ask(each, "join", "tea")
  const [first, second] = clients

  // Everybody to everybody, with binary.
  for (const [n, each] of clients.entries()) each.socket.emit("say", "tea", n, Buffer.from([n, 255]))
  await until("what each said", () => clients.every(({ said }) => said.length === clients.length))
  for (const { said } of clients) {
    const heard = said.toSorted((a, b) => Number(a[0]) - Number(b[0]))
    assert.deepStrictEqual(
      heard.map(([n, bytes]) => [n, ...(bytes as Buffer)]),
      clients.map((_, n) => [n, n, 255])
    )
  }

  const ids = clients.map(({ socket }) => socket.id)
  for (const each of clients) assert.deepStrictEqual(sorted(await ask(each, "sockets")), sorted(ids))

  for (const [n, each] of clients.entries()) each.socket.on("question", (reply: (n: number) => void) => reply(n))
  for (const each of clients) assert.deepStrictEqual(sorted(await ask(each, "ask", "tea")), [0, 1, 2])

  for (const [n, each] of clients.entries()) {
    const others = cluster.workers.filter((_, other) => other !== n).map(({ id }) => id)
    assert.deepStrictEqual(sorted(await ask(each, "servers")), sorted(others))
  }

  first!.socket.emit("move", "tea", "coffee")
  await until("the move", async () => {
    second!.socket.emit("say", "coffee", "moved")
    await ask(second!, "count")
    return clients.every(({ said }) => said.some(([text]) => text === "moved"))
  })
}

describe("workers of ours and of @socket.io/cluster-adapter under our primary", () => {
  let cluster: Cluster
  beforeAll(async () => {
    cluster = await start({ primary: "ours", workers: ["ours", "official", "ours"] })
  }, patience)
  afterAll(() => cluster.stop())

  it("hear, answer, describe and move each other's sockets", () => exchange(cluster), patience)

  it(
    "live through what is malformed or somebody else's",
    async () => {
      const source = "_sio_adapter"
      const cycle: Record<string, unknown> = {}
      cycle["self"] = cycle
      const opts = { rooms: [], except: [], flags: {} }
      const said = (value: unknown): object => ({
        source,
        type: 3,
        nsp: "/",
        uid: "x",
        data: { packet: { type: 2, data: ["other", value] }, opts }
      })
      const before = (await cluster.state()).counters!.ignored
      const values = [
        null,
        7,
        "text",
        [],
        {},
        { source },
        { source, type: {} },
        { source, type: 99, nsp: "/unknown", uid: "x", data: {} },
        { source, type: 8, nsp: "/", uid: "x", requesterUid: "nobody", data: { requestId: "r", sockets: [] } },
        { source: "effect-socketio:sticky", type: "ready", path: 5 }
      ]
      // These reach the workers. The official one does not survive them, so that they are for a namespace that only ours can have.
      const hostile = [
        { source, type: 3 },
        said(cycle),
        { source, type: 4, nsp: 5, uid: ["x"], data: { opts: "no", rooms: {} } }
      ].map((value) => ({ ...value, nsp: "/unknown" }))
      cluster.command({ type: "inject", worker: cluster.workers[0]!.id, values: [...values, ...hostile] })
      await until("they have come", async () => (await cluster.state()).counters!.ignored >= before + 3)
      await exchange(cluster)
      assert.deepStrictEqual(cluster.exited, [])
    },
    patience
  )

  it(
    "hear at once of one that was killed, so that nobody waits for it",
    async () => {
      const { nodes } = await cluster.state()
      // The official worker would take 30 seconds to notice by itself.
      process.kill(cluster.workers[2]!.pid, "SIGKILL")
      await until("the exit", () => cluster.exited.length === 1)
      const clients = await connectAll(cluster)
      await acquainted(clients)
      for (const each of clients) assert.lengthOf((await ask(each, "sockets")) as Array<unknown>, 2)
      assert.strictEqual((await cluster.state()).nodes, nodes! - 1)
      // Another one takes its place.
      cluster.command({ type: "fork", kind: "ours" })
      await until("the new worker", () => cluster.workers.length === 4)
      const all = [...clients, await client(`http://127.0.0.1:${cluster.workers[3]!.port}`)]
      await acquainted(all)
      await ask(all[2]!, "join", "tea")
      all[1]!.socket.emit("say", "tea", "welcome")
      await until("the welcome", () => all[2]!.said.length === 1)
    },
    patience
  )
})

describe("workers of ours and of @socket.io/cluster-adapter under the official primary", () => {
  let cluster: Cluster
  beforeAll(async () => {
    cluster = await start({ primary: "official", workers: ["ours", "official", "ours"] })
  }, patience)
  afterAll(() => cluster.stop())

  it("hear, answer, describe and move each other's sockets", () => exchange(cluster), patience)
})
