/**
 * A broadcast at a rate that the generator sets, the same for every server: a server that defers its writes would otherwise let
 * the publisher run ahead, batch several broadcasts and flatter itself.
 */
import * as Message from "../Message.ts"
import type { Driver } from "../Scenario.ts"
import * as Client from "./Client.ts"
import * as Frame from "./Frame.ts"

/** `rate` is in publishes a second; an operation is one delivery. */
export const prepare = async (
  port: number,
  options: { readonly connections: number; readonly rate: number }
): Promise<Driver> => {
  const frame = Frame.text(Message.publish)
  const expected = Buffer.from(Message.news)
  const clients = await Client.many(options.connections, 20, () => Client.webSocket(port))
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
      const total = Math.max(1, Math.round(milliseconds / interval))
      const start = performance.now()
      let published = 0
      delivered = 0
      due = total * options.connections
      finished = () => resolve(delivered)
      const tick = () => {
        // Late timers are caught up with one publish a turn of the loop, so that they stay single broadcasts.
        clients[published % clients.length]!.write(frame)
        published++
        if (published < total) setTimeout(tick, Math.max(0, start + published * interval - performance.now()))
      }
      tick()
    })

  return {
    warmUp: async (scale) => {
      await run(500 * scale)
      checking = false
      await run(1000 * scale)
    },
    measure: async (milliseconds) => ({ operations: await run(milliseconds) }),
    settle: () => Promise.resolve()
  }
}
