/** A TCP relay between client and server that can be cut, frozen and shut: the bad network of the reconnection suites. */
import * as Net from "node:net"
import type { Endpoint } from "../conformance/raw/Http.ts"

/** A relay to a server. */
export interface Proxy {
  readonly endpoint: Endpoint
  /** Cuts every connection. */
  cut(): void
  /**
   * Cuts every connection and refuses new ones until `noticed`. Over polling a mere cut may fall between two requests, and is then
   * nobody's loss.
   */
  outage(noticed: () => Promise<unknown>): Promise<void>
  /** Whether new connections are cut at once. */
  refuse(refuse: boolean): void
  /** Whether bytes are kept back, in both directions and on all connections. */
  freeze(frozen: boolean): void
  stop(): Promise<void>
}

/** Starts a relay to `target`. */
export const proxy = async (target: Endpoint): Promise<Proxy> => {
  const pairs = new Set<readonly [Net.Socket, Net.Socket]>()
  let refused = false
  let frozen = false
  const cut = (): void => {
    for (const [one, two] of pairs) {
      one.destroy()
      two.destroy()
    }
    pairs.clear()
  }
  const join = (from: Net.Socket, to: Net.Socket): void => {
    from.on("data", (chunk) => {
      if (!to.destroyed) to.write(chunk)
    })
    from.on("end", () => to.end())
    from.on("error", () => to.destroy())
    from.on("close", () => to.destroy())
  }
  const server = Net.createServer((near) => {
    near.on("error", () => undefined)
    if (refused) return near.destroy()
    const far = Net.connect(target.port, "127.0.0.1")
    const pair = [near, far] as const
    pairs.add(pair)
    near.on("close", () => pairs.delete(pair))
    join(near, far)
    join(far, near)
    if (frozen) {
      near.pause()
      far.pause()
    }
    return undefined
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()))
  return {
    endpoint: { port: (server.address() as Net.AddressInfo).port, path: target.path },
    cut,
    outage: async (noticed) => {
      refused = true
      cut()
      await noticed()
      refused = false
    },
    refuse: (refuse) => {
      refused = refuse
    },
    freeze: (freeze) => {
      frozen = freeze
      for (const [near, far] of pairs) {
        for (const socket of [near, far]) {
          if (freeze) socket.pause()
          else socket.resume()
        }
      }
    },
    stop: () => {
      cut()
      return new Promise((resolve) => server.close(() => resolve()))
    }
  }
}
