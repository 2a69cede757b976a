/**
 * What `MemoryNetwork` is in memory, for real sockets: a TCP proxy before a server, that breaks, holds and refuses connections on demand.
 */
import * as Effect from "effect/Effect"
import type { Scope } from "effect/Scope"
import { type AddressInfo, connect, createServer, type Socket } from "node:net"

/** A proxy on a port of its own. */
export interface TcpProxy {
  readonly port: number
  /** Breaks the present connections and refuses new ones. */
  readonly cut: Effect.Effect<void>
  /** Nothing passes, and nobody is told. */
  readonly freeze: Effect.Effect<void>
  readonly heal: Effect.Effect<void>
}

/** Stands before the port of a server on this machine, or refuses while there is none; the port is asked for at each connection. */
export const make = (target: () => number | undefined): Effect.Effect<TcpProxy, never, Scope> =>
  Effect.gen(function* () {
    const sockets = new Set<Socket>()
    let refusing = false
    let frozen = false

    const join = (from: Socket, to: Socket): void => {
      sockets.add(from)
      from.setNoDelay(true)
      from.on("data", (chunk) => to.write(chunk))
      from.on("end", () => to.end())
      from.on("error", () => to.destroy())
      from.on("close", () => {
        sockets.delete(from)
        to.destroy()
      })
      if (frozen) from.pause()
    }

    const server = yield* Effect.acquireRelease(
      Effect.callback<ReturnType<typeof createServer>>((resume) => {
        const server = createServer({ allowHalfOpen: true }, (client) => {
          const port = target()
          if (refusing || port === undefined) {
            client.destroy()
            return
          }
          const upstream = connect({ port, host: "127.0.0.1", allowHalfOpen: true })
          join(client, upstream)
          join(upstream, client)
        })
        server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
      }),
      (server) =>
        Effect.callback<void>((resume) => {
          for (const socket of sockets) socket.destroy()
          server.close(() => resume(Effect.void))
        })
    )

    const reset = Effect.sync(() => {
      for (const socket of sockets) socket.destroy()
    })
    return {
      port: (server.address() as AddressInfo).port,
      cut: Effect.andThen(
        Effect.sync(() => {
          refusing = true
        }),
        reset
      ),
      freeze: Effect.sync(() => {
        frozen = true
        for (const socket of sockets) socket.pause()
      }),
      heal: Effect.sync(() => {
        refusing = frozen = false
        for (const socket of sockets) socket.resume()
      })
    }
  })
