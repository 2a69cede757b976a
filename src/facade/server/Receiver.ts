/**
 * What happens to the sockets of a namespace, told to its listeners.
 */
import type { WireRefusal } from "../../contract/index.ts"
import type { Receiver } from "../../socket/Receiver.ts"
import * as Adapter from "./Adapter.ts"
import * as Contract from "./Contract.ts"
import type { AnyNamespace } from "./Namespace.ts"
import { type AnySocket, Socket } from "./Socket.ts"

/** What a client is told when the server failed; what happened goes to the server's `listener_error`. */
const internalError: WireRefusal = { message: "internal error" }

/** What the client is told of an error that a middleware gave to `next`. */
const refusalOf = (error: unknown): WireRefusal => {
  if (typeof error !== "object" || error === null) return { message: String(error) }
  const { message, data } = error as { readonly message?: unknown; readonly data?: unknown }
  return data === undefined ? { message: String(message) } : { message: String(message), data }
}

const isError = (error: unknown): boolean => error !== undefined && error !== null && error !== false

const declaredRefusal = ({ _contract }: AnyNamespace, error: unknown): WireRefusal | undefined =>
  _contract === undefined ? undefined : Contract.encodeRefusal(_contract, error)

const runMiddleware = (
  namespace: AnyNamespace,
  socket: AnySocket,
  done: (refusal: WireRefusal | undefined) => void
): void => {
  const fns = [...namespace._fns]
  const step = (index: number): void => {
    const fn = fns[index]
    if (fn === undefined) return done(undefined)
    let settled = false
    const next = (error?: unknown): void => {
      if (settled) return
      settled = true
      if (isError(error)) done(declaredRefusal(namespace, error) ?? refusalOf(error))
      else step(index + 1)
    }
    const failed = (error: unknown): void => {
      namespace.server._listenerFailed(error, { event: "middleware", namespace: namespace.name, socket })
      if (settled) return
      settled = true
      done(internalError)
    }
    try {
      const result = fn(socket, next)
      if (result instanceof Promise) result.catch(failed)
    } catch (error) {
      failed(error)
    }
  }
  step(0)
}

const facade = (data: unknown): AnySocket => data as AnySocket

/** The receiver of a namespace. The facade of a socket is kept where programs of the Effect API keep their own data. */
export const make = (namespace: AnyNamespace): Receiver => ({
  admit(core, done) {
    const socket = new Socket(namespace, core)
    // What was kept of it.
    if (core.data !== undefined) socket.data = core.data
    core.data = socket
    const skipped = core.recovered && core.core.settings.recovery?.skipMiddlewares === true
    if (namespace._fns.length === 0 || skipped) return done(undefined)
    namespace._admitting.set(core.id, core)
    runMiddleware(namespace, socket, (refusal) => {
      namespace._admitting.delete(core.id)
      done(refusal)
    })
  },
  dropped(core) {
    namespace._admitting.delete(core.id)
    if (!Adapter.isPlain(namespace.adapter)) namespace.adapter.delAll(core.id)
  },
  connected(core) {
    const socket = facade(core.data)
    if (!Adapter.isPlain(namespace.adapter))
      void namespace.adapter.addAll(core.id, new Set(core.namespace.rooms.of(core)))
    namespace._emitReserved("connect", socket)
    namespace._emitReserved("connection", socket)
  },
  event(core, data, id) {
    const socket = facade(core.data)
    const { _contract } = namespace
    // The packet was parsed for this socket alone.
    if (_contract === undefined) return socket._event(data as Array<unknown>, id, undefined)
    const decoded = Contract.decodeEvent(_contract, data)
    if ("failure" in decoded) return socket._refuse(decoded.failure, id, decoded.answer)
    socket._event([data[0], ...decoded.args], id, decoded.event)
  },
  disconnecting(core, { reason, description }) {
    facade(core.data)._emitReserved("disconnecting", reason, description)
  },
  disconnected(core, { reason, description }) {
    if (!Adapter.isPlain(namespace.adapter)) namespace.adapter.delAll(core.id)
    facade(core.data)._emitReserved("disconnect", reason, description)
  }
})
