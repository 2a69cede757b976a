/**
 * Functions that run in a page: each stands alone, since only its text gets there. The page's `io` is either library's, by its own types.
 */
import type { Io, LookupOptions, Socket } from "../../../src/facade/client.ts"

/** What pages share between two calls. */
interface PageGlobal {
  readonly io: Io
  socket: Socket
  log: Array<unknown>
}

/** Connects, and tells the transports that the connection goes through. */
export const connect = async (url: string, options: Partial<LookupOptions>): Promise<ReadonlyArray<string>> => {
  const page = globalThis as unknown as PageGlobal
  const socket = page.io(url, { forceNew: true, ...options })
  page.socket = socket
  page.log = []
  for (const event of ["connect", "disconnect", "welcome", "heard"]) {
    socket.on(event as "disconnect", (...args: Array<unknown>) => page.log.push([event, ...args]))
  }
  const passed: Array<string> = []
  // The upgrade may come before the connection of the socket, and after it.
  const upgraded = new Promise<void>((resolve) => {
    socket.io.once("open", () => {
      const { engine } = socket.io
      passed.push(engine.transport.name)
      if (options.transports !== undefined) resolve()
      engine.once("upgrade", () => {
        passed.push(engine.transport.name)
        resolve()
      })
    })
  })
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", () => resolve())
    socket.once("connect_error", (error) => reject(new Error(error.message)))
  })
  await upgraded
  return passed
}

/** The message of the refusal. */
export const refused = async (url: string, options: Partial<LookupOptions>): Promise<string> => {
  const page = globalThis as unknown as PageGlobal
  const socket = page.io(url, { forceNew: true, reconnection: false, ...options })
  const message = await new Promise<string>((resolve) => {
    socket.once("connect", () => resolve("connected"))
    socket.once("connect_error", (error) => resolve(error.message))
  })
  socket.disconnect()
  return message
}

/** Bytes in several forms go there and back; each is told by what came and what was in it. */
export const binary = async (): Promise<ReadonlyArray<string>> => {
  const { socket, log } = globalThis as unknown as PageGlobal
  const tell = (value: unknown): string =>
    `${Object.prototype.toString.call(value)} ${[...new Uint8Array(value as ArrayBuffer)].join()}`
  const echo = async (value: unknown): Promise<string> => tell(await socket.timeout(5000).emitWithAck("echo", value))
  const bytes = new Uint8Array([0, 1, 255])
  const welcome = log.find((entry) => Array.isArray(entry) && entry[0] === "welcome") as [
    string,
    unknown,
    { readonly nested: unknown }
  ]
  const nested = (await socket.timeout(5000).emitWithAck("echo", { list: [{ bytes }], text: "é" })) as {
    readonly list: ReadonlyArray<{ readonly bytes: unknown }>
    readonly text: string
  }
  return [
    tell(welcome[1]),
    tell(welcome[2].nested),
    await echo(bytes),
    await echo(bytes.buffer),
    await echo(new Blob([bytes])),
    await echo(new File([bytes], "name.bin")),
    `${nested.text} ${tell(nested.list[0]!.bytes)}`
  ]
}

/** Acknowledgements: given, and not given in time. */
export const acks = async (): Promise<ReadonlyArray<unknown>> => {
  const { socket } = globalThis as unknown as PageGlobal
  const byCallback = await new Promise<unknown>((resolve) => {
    socket.emit("echo", "by callback", resolve)
  })
  const byPromise: unknown = await socket.emitWithAck("echo", { by: "promise" })
  const late = await socket
    .timeout(50)
    .emitWithAck("silence")
    .catch((error: Error) => error.message)
  const lateCallback = await new Promise<string | undefined>((resolve) => {
    socket.timeout(50).emit("silence", (error: Error | null) => resolve(error?.message))
  })
  return [byCallback, byPromise, late, lateCallback]
}

/** What the server sees of the connection. */
export const conn = async (): Promise<Readonly<Record<string, unknown>>> => {
  const { socket } = globalThis as unknown as PageGlobal
  return (await socket.timeout(5000).emitWithAck("conn")) as Readonly<Record<string, unknown>>
}

/** Waits until the page's socket has lost its connection; what is emitted then waits for the next. */
export const loseAndEmit = async (): Promise<string> => {
  const { socket } = globalThis as unknown as PageGlobal
  const reason = await new Promise<string>((resolve) => {
    if (!socket.connected) resolve("already")
    else socket.once("disconnect", (found) => resolve(found))
  })
  socket.emit("shout", "said while away")
  socket.volatile.emit("shout", "not said while away")
  return reason
}

/** Waits until it is back, and tells what happened since the beginning. */
export const returned = async (): Promise<ReadonlyArray<unknown>> => {
  const page = globalThis as unknown as PageGlobal
  const { socket } = page
  if (!socket.connected) {
    await new Promise<void>((resolve) => {
      socket.once("connect", () => resolve())
    })
  }
  // What was said while away comes before the answer to this.
  await socket.timeout(5000).emitWithAck("echo", "back")
  return page.log.map((entry) => {
    const [event, first] = entry as [string, unknown]
    return event === "welcome" ? [event] : event === "connect" ? [event] : [event, first]
  })
}

/** Ends the connection. */
export const leave = (): void => {
  const { socket } = globalThis as unknown as PageGlobal
  socket.disconnect()
}

/** The protocols by which the page has loaded what has this in its URL. */
export const protocols = (part: string): ReadonlyArray<string> => {
  const found = performance.getEntriesByType("resource") as Array<PerformanceResourceTiming>
  return [...new Set(found.filter(({ name }) => name.includes(part)).map((entry) => entry.nextHopProtocol))]
}
