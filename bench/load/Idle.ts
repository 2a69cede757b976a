/** Connections that only exist: their memory is what is measured. */
import type { Driver, Target } from "../Scenario.ts"
import * as Client from "./Client.ts"

/** `warmUp` connections are opened and dropped first, so that code and pools are there before the first mark. */
export const prepare = (
  { port }: Target,
  options: { readonly connections: number; readonly warmUp: number; readonly concurrency: number }
): Driver => {
  let held: Array<Client.Client> = []
  const open = async (count: number) => {
    held = await Client.many(count, options.concurrency, () => Client.webSocket(port))
    return held.length
  }
  const settle = async () => {
    for (const client of held) client.destroy()
    held = []
  }
  return {
    warmUp: async () => {
      await open(options.warmUp)
      await settle()
    },
    measure: async () => ({ operations: await open(options.connections) }),
    settle
  }
}
