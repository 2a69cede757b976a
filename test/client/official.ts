/** The official server on a port of its own, for tests of our client. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { createServer, type Server as HttpServer } from "node:http"
import type { AddressInfo } from "node:net"
import { Server, type ServerOptions } from "socket.io"

/** A server that runs. */
export interface Official {
  readonly io: Server
  readonly http: HttpServer
  readonly url: string
  readonly port: number
}

/** Starts one, on that port if given, until the scope closes. */
export const start = (
  options: Partial<ServerOptions>,
  setup: (io: Server) => void,
  port = 0
): Effect.Effect<Official, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<Official>((resume) => {
      const http = createServer()
      const io = new Server(http, options)
      setup(io)
      http.listen(port, "127.0.0.1", () => {
        const bound = (http.address() as AddressInfo).port
        resume(Effect.succeed({ io, http, url: `http://127.0.0.1:${bound}`, port: bound }))
      })
    }),
    stop
  )

/** Stops it at once. */
export const stop = ({ io, http }: Official): Effect.Effect<void> =>
  Effect.promise(async () => {
    await io.close()
    http.closeAllConnections()
  })
