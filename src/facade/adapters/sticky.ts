/**
 * Entry "effect-socketio/facade/sticky": `setupPrimary` (`setupMaster`) and `setupWorker` as `@socket.io/sticky` has them.
 *
 * ```ts
 * import { setupPrimary, setupWorker } from "effect-socketio/facade/sticky"
 *
 * if (cluster.isPrimary) {
 *   const httpServer = createServer()
 *   setupPrimary(httpServer, { loadBalancingMethod: "least-connection" })
 *   httpServer.listen(3000)
 *   cluster.fork()
 *   cluster.fork()
 * } else {
 *   const io = new Server(createServer(), { adapter: createAdapter() })
 *   setupWorker(io)
 * }
 * ```
 */
import type { Server as HttpServer } from "node:http"
import * as StickyPrimary from "../../node/StickyPrimary.ts"
import * as StickyWorker from "../../node/StickyWorker.ts"
import type { NodeServer } from "../server/Options.ts"

export type { LoadBalancingMethod } from "../../node/StickyChoice.ts"
export type { StickyOptions } from "../../node/StickyPrimary.ts"

/**
 * Makes the primary's server the load balancer of its workers; it may be an HTTPS server too. Two methods are not Socket.IO's: "address" and
 * "x-forwarded-for", which choose by the client's address. Throws in a worker.
 */
export const setupPrimary = (httpServer: StickyPrimary.Server, opts?: StickyPrimary.StickyOptions): void => {
  StickyPrimary.makeUnsafe(httpServer, opts)
}

/** The older name of {@link setupPrimary}. */
export const setupMaster = setupPrimary

/** Makes the HTTP server of a Socket.IO server take its connections from the primary. It must not listen itself. Throws in the primary. */
export const setupWorker = (io: { readonly httpServer: NodeServer }): void => {
  const { httpServer } = io
  if (httpServer === undefined) throw new Error("attach the server to an HTTP server first: new Server(httpServer)")
  StickyWorker.acceptUnsafe(httpServer as HttpServer)
}
