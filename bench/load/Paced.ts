/**
 * Broadcasts at a rate that the generator sets, the same for every server: a server that defers its writes would otherwise let
 * the publisher run ahead, batch several broadcasts and flatter itself.
 */
import * as Message from "../Message.ts"
import { type Driver, partOf, type Target } from "../Scenario.ts"
import * as Client from "./Client.ts"
import * as Frame from "./Frame.ts"

/** Which broadcasts. An operation is one delivery. */
export interface Options {
  readonly connections: number
  /** Writes of the publisher a second. */
  readonly rate: number
  /** Publishes in one write, which a server gets in one turn. Default 1. */
  readonly together?: number | undefined
  /** Connection `i` is in room `i % rooms`, and publishes go to one room after the other. Default: no rooms, to everybody. */
  readonly rooms?: number | undefined
  /** What connections write before anything is measured: room memberships. */
  readonly setUp?: ((index: number) => ReadonlyArray<string>) | undefined
  /** The text of publish `i`. Default: to everybody. */
  readonly request?: ((index: number) => string) | undefined
  /** Whether connection `i` receives at all. Default: yes. */
  readonly receives?: ((index: number) => boolean) | undefined
}

/** Connects this process's share of the clients; the first process publishes. */
export const prepare = async ({ port, share }: Target, options: Options): Promise<Driver> => {
  const { together = 1, rooms = 1, setUp, receives } = options
  const connections = partOf(options.connections, share)
  const clients = await Client.shared(connections, port)
  if (setUp !== undefined) {
    await Client.settleEach(clients, (index) => setUp(index).map(Frame.text))
  }
  const publishes = Array.from({ length: rooms }, (_, index) => {
    const frame = Frame.text(options.request?.(index) ?? Message.publish)
    return Frame.repeat(frame, together)
  })
  const receivers = receives === undefined ? connections : clients.filter((_, index) => receives(index)).length
  const expected = Buffer.from(Message.news)
  let checking = true
  let delivered = 0
  let due = 0
  let finished: () => void = () => {}
  for (const client of clients) {
    client.onPacket = (buffer, start, end) => {
      if (
        end - start !== expected.length ||
        (checking && buffer.compare(expected, 0, expected.length, start, end) !== 0)
      ) {
        throw new Error(`unexpected delivery: ${buffer.toString("utf8", start, end)}`)
      }
      if (++delivered === due) finished()
    }
  }

  const run = (milliseconds: number): Promise<number> =>
    new Promise((resolve) => {
      const interval = 1000 / options.rate
      // Whole passes through the rooms, so that every process knows what it will receive.
      const total = Math.max(1, Math.round(milliseconds / interval / rooms)) * rooms
      const start = performance.now()
      let published = 0
      delivered = 0
      due = (total * together * receivers) / rooms
      finished = () => resolve(delivered)
      if (share.index > 0) return
      const tick = () => {
        // Late timers are caught up with one write a turn of the loop, so that they stay single broadcasts.
        clients[published % clients.length]!.write(publishes[published % rooms]!)
        published++
        if (published < total) setTimeout(tick, Math.max(0, start + published * interval - performance.now()))
      }
      tick()
    })

  return {
    warmUp: async (scale) => {
      await run(300 * scale)
      checking = false
      await run(500 * scale)
    },
    measure: async (milliseconds) => ({ operations: await run(milliseconds) }),
    settle: () => Promise.resolve()
  }
}
