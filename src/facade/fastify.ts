/**
 * Entry `effect-socketio/fastify`: a plugin of Fastify that decorates it with a server, in the place of `fastify-socket.io`.
 *
 * ```ts
 * import { fastifySocketIO } from "effect-socketio/fastify"
 * import fastify from "fastify"
 *
 * const app = fastify()
 * await app.register(fastifySocketIO, { path: "/socket.io" })
 * app.io.on("connection", (socket) => socket.emit("hello"))
 * await app.listen({ port: 3000 })
 * ```
 */
import type { FastifyInstance } from "fastify"
import type { IncomingMessage } from "node:http"
import { isEnginePath } from "../node/Interception.ts"
import type { ServerOptions } from "./server/Options.ts"
import { Server } from "./server/Server.ts"

declare module "fastify" {
  interface FastifyInstance {
    /** The Socket.IO server. With events of your own types: `const io: Server<ClientToServer, ServerToClient> = app.io`. */
    readonly io: Server
  }
}

/** The options of the server, and what happens first when Fastify closes. */
export interface FastifySocketIOOptions extends Partial<ServerOptions> {
  /** Runs when Fastify begins to close, in the place of `io.close()`. Connections that it leaves keep Fastify from closing. */
  preClose?: (done: () => void) => void
}

const plugin = (fastify: FastifyInstance, options: FastifySocketIOOptions, done: () => void): void => {
  const { preClose, ...serverOptions } = options
  const io = new Server(fastify.server, serverOptions)
  fastify.decorate("io", io)
  forwardSecondary(fastify, io)

  let closing: Promise<void> | undefined
  const close = (): Promise<void> => (closing ??= io.close())
  fastify.addHook("preClose", (closed) => {
    if (preClose !== undefined) return preClose(closed)
    // Not waited for: it ends with the HTTP server, whose other connections Fastify may have to close.
    void close()
    closed()
  })
  fastify.addHook("onClose", () => close())
  done()
}

/**
 * Listening on "localhost" Fastify has a second server, for the other of 127.0.0.1 and ::1, and hands over only its upgrades.
 * Its requests are found here, where Fastify has begun to serve them.
 */
const forwardSecondary = (fastify: FastifyInstance, io: Server): void => {
  const path = `${io.path()}/`
  const forwarded = new WeakSet<IncomingMessage>()
  fastify.addHook("onRequest", (request, reply, next) => {
    const { raw } = request
    if (!isEnginePath(raw.url ?? "", path) || forwarded.has(raw)) return next()
    forwarded.add(raw)
    reply.hijack()
    fastify.server.emit("request", raw, reply.raw)
  })
}

/** The plugin. It decorates the instance that it is registered on and all its children, as `fastify-plugin` would have it. */
export const fastifySocketIO = Object.assign(plugin, {
  [Symbol.for("skip-override")]: true,
  [Symbol.for("fastify.display-name")]: "effect-socketio",
  [Symbol.for("plugin-meta")]: { name: "effect-socketio", fastify: ">=4" }
})

export { fastifySocketIO as default, fastifySocketIO as "module.exports" }
