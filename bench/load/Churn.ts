/** Asks the server, again and again, to move all of its sockets through a room; an operation is one join and one leave. */
import * as Message from "../Message.ts"
import { type Driver, partOf, type Target } from "../Scenario.ts"
import * as Client from "./Client.ts"
import * as Frame from "./Frame.ts"

/** `setUp` is what connections write first: room memberships. */
export interface Options {
  readonly connections: number
  readonly setUp: (index: number) => ReadonlyArray<string>
}

/** Connects this process's share of the clients; the first process asks. */
export const prepare = async ({ port, share }: Target, options: Options): Promise<Driver> => {
  const clients = await Client.shared(partOf(options.connections, share), port)
  await Client.settleEach(clients, (index) => options.setUp(index).map(Frame.text))
  const request = Frame.text(Message.churn)
  const answer = Message.churned(options.connections)
  const ask = (): Promise<void> =>
    new Promise((resolve) => {
      const client = clients[0]!
      client.onPacket = (buffer, start, end) => {
        const text = buffer.toString("latin1", start, end)
        if (text !== answer) throw new Error(`unexpected answer: ${text}`)
        resolve()
      }
      client.write(request)
    })
  const run = async (milliseconds: number): Promise<number> => {
    if (share.index > 0) return 0
    const end = performance.now() + milliseconds
    let operations = 0
    do {
      await ask()
      operations += options.connections
    } while (performance.now() < end)
    return operations
  }
  return {
    warmUp: async (scale) => {
      await run(500 * scale)
    },
    measure: async (milliseconds) => ({ operations: await run(milliseconds) }),
    settle: () => Promise.resolve()
  }
}
