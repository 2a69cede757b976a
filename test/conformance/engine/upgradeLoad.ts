/** Engine.IO: the upgrade with data in flight in both directions: nothing lost, doubled or reordered. */
import * as assert from "node:assert/strict"
import { calm, type Case, engineSuite } from "../Case.ts"
import { polling, type Polling, separator } from "../raw/Engine.ts"
import * as Ws from "../raw/Ws.ts"
import type { EngineServer } from "../Target.ts"

/** What a client that upgrades under load counts on the way. */
interface Load {
  /** Messages in each POST. */
  readonly batch: number
  /** POSTs before the probe. */
  readonly before: number
  /** POSTs between probe and upgrade packet. */
  readonly during: number
  /** Messages over WebSocket after it. */
  readonly after: number
  /** Messages of the server besides the echoes, asked for at each step. */
  readonly burst: number
}

const binary = (i: number): boolean => i % 5 === 0

/** Drives one session through an upgrade and gives everything it received, in order. */
const drive = async (opened: Polling, load: Load, cleanup: (f: () => void) => void) => {
  let sent = 0
  const received: Array<string> = []
  const seen = (packet: string | Buffer): void => {
    if (typeof packet !== "string") received.push(`b${packet.toString("latin1")}`)
    else if (packet.startsWith("b")) received.push(`b${Buffer.from(packet.slice(1), "base64").toString("latin1")}`)
    else if (packet !== "6") received.push(packet)
  }
  const message = (): string | Buffer => {
    const i = sent++
    return binary(i) ? Buffer.from(`n${i}`) : `4n${i}`
  }
  const post = async (): Promise<void> => {
    const packets = Array.from({ length: load.batch }, () => {
      const next = message()
      return typeof next === "string" ? next : `b${next.toString("base64")}`
    })
    if (load.burst > 0) packets.push(`4burst ${load.burst}`)
    const reply = await opened.post(packets.join(separator))
    assert.deepEqual([reply.status, reply.text], [200, "ok"])
  }

  // Polling: as a real client does, one GET always pending, until it is paused.
  let paused = false
  const polls = (async () => {
    for (;;) {
      if (paused) return
      const reply = await opened.poll()
      assert.equal(reply.status, 200, reply.text)
      for (const packet of reply.text.split(separator)) seen(packet)
    }
  })()

  for (let i = 0; i < load.before; i++) await post()
  const ws = await Ws.open(opened.endpoint, { EIO: "4", transport: "websocket", sid: opened.sid })
  cleanup(() => ws.cut())
  ws.send("2probe")
  // The client may go on posting until it has the answer of the probe.
  const posts = (async () => {
    for (let i = 0; i < load.during; i++) await post()
  })()
  assert.equal(await ws.next(), "3probe")
  await posts
  paused = true
  await polls
  ws.send("5")
  for (let i = 0; i < load.after; i++) ws.send(message())
  ws.send("4burst 1")
  return { sent: () => sent, received, seen, ws }
}

const verify = async (opened: Polling, load: Load, cleanup: (f: () => void) => void): Promise<void> => {
  const { received, seen, sent, ws } = await drive(opened, load, cleanup)
  const asked = load.before + load.during
  const bursts = asked * load.burst + 1
  while (received.length < sent() + bursts) seen(await ws.next())
  ws.send("4fence")
  seen(await ws.next())
  const echoes = received.filter((packet) => packet.slice(1).startsWith("n"))
  assert.deepEqual(
    echoes,
    Array.from({ length: sent() }, (_, i) => (binary(i) ? `bn${i}` : `4n${i}`))
  )
  const expected = Array.from({ length: asked }, () =>
    Array.from({ length: load.burst }, (_, i) => `4burst-${i}`)
  ).flat()
  assert.deepEqual(
    received.filter((packet) => packet.startsWith("4burst-")),
    [...expected, "4burst-0"]
  )
  assert.equal(received.at(-1), "4fence")
}

type Given = { server: EngineServer; cleanup: (f: () => void) => void }

const cases: ReadonlyArray<Case<EngineServer>> = [
  ...[
    { batch: 1, before: 0, during: 0, after: 50, burst: 0 },
    { batch: 1, before: 5, during: 0, after: 5, burst: 20 },
    { batch: 10, before: 3, during: 1, after: 10, burst: 50 },
    { batch: 30, before: 2, during: 5, after: 100, burst: 200 }
  ].map((load) => ({
    title: `${load.before} POSTs before, ${load.during} during the probe, ${load.batch} messages each and ${load.burst} from the server: all arrive once and in order`,
    run: async ({ server, cleanup }: Given) => {
      await verify(await polling(server.endpoint), load, cleanup)
    }
  })),
  {
    title: "twenty sessions upgrade at once under load",
    run: async ({ server, cleanup }: Given) => {
      const opened = await Promise.all(Array.from({ length: 20 }, () => polling(server.endpoint)))
      await Promise.all(
        opened.map((each, i) =>
          verify(each, { batch: 5, before: i % 3, during: i % 4, after: 20, burst: 10 + i }, cleanup)
        )
      )
    }
  },
  {
    title: "an upgrade that is given up halfway loses nothing either",
    run: async ({ server }) => {
      const opened = await polling(server.endpoint)
      const received: Array<string> = []
      for (let round = 0; round < 3; round++) {
        const ws = await Ws.open(server.endpoint, { EIO: "4", transport: "websocket", sid: opened.sid })
        ws.send("2probe")
        assert.equal(await ws.next(), "3probe")
        await opened.post(Array.from({ length: 10 }, (_, i) => `4${round * 10 + i}`).join(separator))
        ws.cut()
        await Ws.closing(ws)
      }
      while (received.length < 30) {
        const reply = await opened.poll()
        assert.equal(reply.status, 200)
        received.push(...reply.text.split(separator).filter((packet) => packet !== "6"))
      }
      assert.deepEqual(
        received,
        Array.from({ length: 30 }, (_, i) => `4${i}`)
      )
    }
  }
]

/** Suites about the upgrade under load. */
export const upgradeLoadSuites = [engineSuite("Engine.IO upgrade under load", calm, cases)]
