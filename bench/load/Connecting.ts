/** Opens connections as fast as the server takes them, holds them until the server's closing mark, then drops them. */
import type { Driver } from "../Scenario.ts"
import * as Client from "./Client.ts"

/** At most `concurrency` are being opened at a time and `limit` are held in a round. */
export const prepare = (
  open: () => Promise<Client.Client>,
  options: { readonly concurrency: number; readonly warmUp: number; readonly limit: number }
): Driver => {
  let held: Array<Client.Client> = []
  const settle = async () => {
    for (const client of held) client.destroy()
    held = []
  }
  return {
    // Never shortened: code that runs once a connection is compiled late, and half of it is what would be measured.
    warmUp: async () => {
      held = await Client.many(options.warmUp, options.concurrency, open)
      await settle()
    },
    measure: async (milliseconds) => {
      const end = performance.now() + milliseconds
      let started = 0
      const worker = async () => {
        while (performance.now() < end && started < options.limit) {
          started++
          held.push(await open())
        }
      }
      await Promise.all(Array.from({ length: options.concurrency }, worker))
      return { operations: held.length }
    },
    settle
  }
}
