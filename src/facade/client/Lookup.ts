/**
 * `io()`: a namespace of a server by its URL, over a connection that is shared where it can be.
 */
import { make as makePlatform } from "#client-platform"
import { Manager } from "./Manager.ts"
import { type ManagerOptions, type SocketOptions, urlOf } from "./Options.ts"
import type { Socket } from "./Socket.ts"
import * as Url from "./Url.ts"

/** Managers by origin and path. */
const managers = new Map<string, Manager>()

/** What `io()` takes besides the URL. */
export type LookupOptions = Partial<ManagerOptions & SocketOptions>

/**
 * The namespace in the path of the URL. Namespaces of one server share a connection, unless the options say otherwise (`forceNew`,
 * `multiplex: false`) or the namespace is in use already.
 */
export const lookup = (uri?: string | LookupOptions, opts?: LookupOptions): Socket => {
  const options = (uri && typeof uri === "object" ? uri : opts) ?? {}
  const given = typeof uri === "string" ? uri : undefined
  const { base } = makePlatform()
  const { origin, nsp } = Url.parse(given ?? urlOf(options, base), base)
  const id = origin + (options.path || "/socket.io")
  const shared = managers.get(id)
  const isAlone =
    options.forceNew === true || options.multiplex === false || (shared && Object.hasOwn(shared.nsps, nsp))
  const manager = isAlone || shared === undefined ? new Manager(given, options) : shared
  if (!isAlone) managers.set(id, manager)
  return manager.socket(nsp, options)
}
