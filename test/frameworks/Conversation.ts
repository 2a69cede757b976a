/** What a client of either kind says to an example, over each way to get there. */
import { assert } from "@effect/vitest"
import { io as official } from "socket.io-client"
import { type Io, io as ours, type LookupOptions, type Socket } from "../../src/facade/client.ts"

/** A client library. */
export interface Library {
  readonly name: string
  readonly io: Io
}

/** The official client, whose API ours has, and ours. */
export const libraries: ReadonlyArray<Library> = [
  { name: "official client", io: official as unknown as Io },
  { name: "our client", io: ours }
]

/** A way from the first request to the transport that a connection stays on. */
export interface Route {
  readonly name: string
  readonly transports: ReadonlyArray<string>
  readonly ends: string
}

export const routes: ReadonlyArray<Route> = [
  { name: "polling", transports: ["polling"], ends: "polling" },
  { name: "websocket", transports: ["websocket"], ends: "websocket" },
  { name: "upgrade", transports: ["polling", "websocket"], ends: "websocket" }
]

/** What has events, whatever its types say about them. */
interface Listenable {
  once(event: string, listener: Listener): unknown
  off(event: string, listener: Listener): unknown
}

type Listener = { listener(...args: ReadonlyArray<unknown>): void }["listener"]

/** Waits for an event. */
export const next = <A extends ReadonlyArray<unknown>>(
  emitter: Listenable,
  event: string,
  millis = 10_000
): Promise<A> =>
  new Promise((resolve, reject) => {
    const heard = (...args: ReadonlyArray<unknown>): void => {
      clearTimeout(timer)
      resolve(args as A)
    }
    const timer = setTimeout(() => {
      emitter.off(event, heard)
      reject(new Error(`no ${event} within ${millis} ms`))
    }, millis)
    emitter.once(event, heard)
  })

/** Resolves when the socket is connected and its connection has arrived on the route's last transport. */
export const arrived = async (socket: Socket, route: Route): Promise<void> => {
  if (!socket.connected) {
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", () => resolve())
      socket.once("connect_error", reject)
    })
  }
  const { engine } = socket.io
  if (engine.transport.name !== route.ends) await next(engine as Listenable, "upgrade")
  assert.strictEqual(engine.transport.name, route.ends)
}

/** Opens a connection of its own. */
export const open = async (
  library: Library,
  url: string,
  route: Route,
  options: Partial<LookupOptions> = {}
): Promise<Socket> => {
  const socket = library.io(url, {
    ...options,
    forceNew: true,
    reconnection: false,
    transports: route.transports
  } as LookupOptions)
  try {
    await arrived(socket, route)
  } catch (error) {
    socket.disconnect()
    throw error
  }
  return socket
}

/** Bytes whatever they come in. */
export const bytesOf = (value: unknown): ReadonlyArray<number> => {
  assert.isTrue(value instanceof Uint8Array || value instanceof ArrayBuffer, `bytes, not ${String(value)}`)
  return [...new Uint8Array(value as ArrayBuffer)]
}

interface Said {
  readonly text: string
  readonly bytes: unknown
  readonly list: ReadonlyArray<unknown>
}

/** Two clients: texts, binary and acks there and back, and a broadcast. */
export const converse = async (
  library: Library,
  url: string,
  route: Route,
  options: Partial<LookupOptions> = {}
): Promise<void> => {
  const ada = await open(library, url, route, options)
  try {
    const bob = await open(library, url, route, options)
    try {
      const message = { text: "hé 🌍", bytes: Buffer.from([0, 1, 2, 255]), list: [1, null, true, ["x"]] }
      const echoed: Said = await ada.timeout(5000).emitWithAck("echo", message)
      assert.strictEqual(echoed.text, message.text)
      assert.deepStrictEqual(echoed.list, message.list)
      assert.deepStrictEqual(bytesOf(echoed.bytes), [0, 1, 2, 255])

      const large = Buffer.alloc(300_000, "0123456789")
      const returned: unknown = await ada.timeout(5000).emitWithAck("echo", large)
      assert.isTrue(large.equals(new Uint8Array(returned as ArrayBuffer)))

      const heard = next<[string, { readonly bytes: unknown }]>(bob, "heard")
      ada.emit("shout", { bytes: Buffer.from([7, 8]) })
      const [from, shouted] = await heard
      assert.strictEqual(from, ada.id)
      assert.deepStrictEqual(bytesOf(shouted.bytes), [7, 8])
    } finally {
      bob.disconnect()
    }
  } finally {
    ada.disconnect()
  }
}
