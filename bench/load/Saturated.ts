/** Broadcasts to everybody as fast as the server makes them: a fixed number of publishes is under way. */
import * as Message from "../Message.ts"
import { type Driver, partOf, type Target } from "../Scenario.ts"
import * as Client from "./Client.ts"
import * as Frame from "./Frame.ts"

/** `publishes` is how many a round of one second has; an operation is one delivery. */
export interface Options {
  readonly connections: number
  readonly inFlight: number
  readonly publishes: number
}

/** Connects this process's share of the clients; the first process publishes. */
export const prepare = async ({ port, share }: Target, options: Options): Promise<Driver> => {
  const frame = Frame.text(Message.publish)
  const expected = Buffer.from(Message.news)
  const clients = await Client.shared(partOf(options.connections, share), port)
  let delivered = 0
  let due = 0
  let total = 0
  let published = 0
  let heard = 0
  let finished: () => void = () => {}
  const topUp = () => {
    while (published < total && published - heard < options.inFlight) {
      clients[published++ % clients.length]!.write(frame)
    }
  }
  clients.forEach((client, index) => {
    // The last of the receivers says how many broadcasts are through.
    const watches = index === clients.length - 1 && share.index === 0
    client.onPacket = (buffer, start, end) => {
      if (end - start !== expected.length) {
        throw new Error(`unexpected delivery: ${buffer.toString("utf8", start, end)}`)
      }
      if (watches) heard++
      if (++delivered === due) finished()
    }
    if (watches) client.onTurn = topUp
  })

  const run = (milliseconds: number): Promise<number> =>
    new Promise((resolve) => {
      total = Math.max(1, Math.round((options.publishes * milliseconds) / 1000))
      published = heard = delivered = 0
      due = total * clients.length
      finished = () => resolve(delivered)
      if (share.index === 0) topUp()
    })

  return {
    warmUp: async (scale) => {
      await run(500 * scale)
    },
    measure: async (milliseconds) => ({ operations: await run(milliseconds) }),
    settle: () => Promise.resolve()
  }
}
