/** Echoes over HTTP long-polling, one in flight for each client: a POST brings the request, the poll under way the answer. */
import * as Message from "../Message.ts"
import type { Driver, Target } from "../Scenario.ts"
import * as RawHttp from "./RawHttp.ts"

const path = "/socket.io/?EIO=4&transport=polling"
const separator = "\x1e"

interface PollingClient {
  readonly post: (body: string) => void
  onEcho: () => void
}

/** A handshake, the namespace, and polls without end. */
const connect = async (port: number): Promise<PollingClient> => {
  const get = RawHttp.make(port)
  const post = RawHttp.make(port)
  const handshake = await get.request("GET", path)
  const sid = /^0\{"sid":"([^"]+)"/.exec(handshake)?.[1]
  if (sid === undefined) throw new Error(`no handshake: ${handshake}`)
  const url = `${path}&sid=${sid}`
  let posted: Promise<unknown> = Promise.resolve()
  const client: PollingClient = {
    // One request at a time on a connection.
    post: (body) => {
      posted = posted.then(() => post.request("POST", url, body))
    },
    onEcho: () => {}
  }
  const joined = new Promise<void>((resolve) => {
    const poll = async () => {
      for (;;) {
        for (const packet of (await get.request("GET", url)).split(separator)) {
          if (packet === Message.echo) client.onEcho()
          else if (packet.startsWith("40{")) resolve()
          else if (packet === "2") client.post("3")
          else if (packet !== "6") throw new Error(`unexpected packet: ${packet}`)
        }
      }
    }
    void poll()
  })
  client.post("40")
  await joined
  return client
}

/** Connects all clients. */
export const prepare = async ({ port }: Target, options: { readonly clients: number }): Promise<Driver> => {
  const clients = await Promise.all(Array.from({ length: options.clients }, () => connect(port)))
  const run = (milliseconds: number, atLeast = 0): Promise<number> =>
    new Promise((resolve) => {
      const end = performance.now() + milliseconds
      let operations = 0
      let pending = clients.length
      for (const client of clients) {
        client.onEcho = () => {
          operations++
          if (performance.now() < end || operations < atLeast) client.post(Message.echo)
          else if (--pending === 0) resolve(operations)
        }
        client.post(Message.echo)
      }
    })
  return {
    warmUp: async (scale) => {
      // Until the server's code is compiled, however slow the machine is.
      await run(800 * scale, 3000)
    },
    measure: async (milliseconds) => ({ operations: await run(milliseconds) }),
    settle: () => Promise.resolve()
  }
}
