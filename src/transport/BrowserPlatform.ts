/**
 * The platform of browsers, and of everything else with `fetch` and `WebSocket`.
 */
import type { Frame } from "../protocol/FrameGroup.ts"
import type {
  ClientPlatform,
  ClientWebSocket,
  ClientWebSocketHandlers,
  HttpRequest,
  HttpResult,
  PlatformOptions,
  WebSocketRequest
} from "./ClientPlatform.ts"

const request = (request: HttpRequest, done: (result: HttpResult) => void): (() => void) => {
  const controller = new AbortController()
  const run = async (): Promise<HttpResult> => {
    try {
      const response = await fetch(request.url, {
        method: request.method,
        headers: request.headers,
        body: request.body ?? null,
        // Without credentials, as XMLHttpRequest does: those of one's own origin are sent.
        credentials: request.withCredentials ? "include" : "same-origin",
        signal: controller.signal,
        ...(request.farewell === true && { keepalive: true })
      })
      return { _tag: "Answer", status: response.status, body: await response.text() }
    } catch (cause) {
      return { _tag: "NoAnswer", cause }
    }
  }
  void run().then((result) => {
    if (!controller.signal.aborted) done(result)
  })
  return () => controller.abort()
}

const frameOf = (data: unknown): Frame => (typeof data === "string" ? data : new Uint8Array(data as ArrayBuffer))

/** A Uint8Array over shared memory cannot be sent; everything else is sent without a copy. */
const sendable = (frame: Uint8Array): Uint8Array<ArrayBuffer> =>
  frame.buffer instanceof ArrayBuffer ? (frame as Uint8Array<ArrayBuffer>) : new Uint8Array(frame)

const openWebSocket = (request: WebSocketRequest, handlers: ClientWebSocketHandlers): ClientWebSocket => {
  let cause: unknown
  let socket: WebSocket
  try {
    socket = new WebSocket(request.url, [...request.protocols])
  } catch (error) {
    queueMicrotask(() => handlers.onClose(1006, "", error))
    return { send() {}, bufferedAmount: 0, close() {} }
  }
  socket.binaryType = "arraybuffer"
  socket.addEventListener("open", () => handlers.onOpen())
  socket.addEventListener("message", (event) => handlers.onFrame(frameOf(event.data)))
  socket.addEventListener("error", (event) => {
    cause = event
  })
  socket.addEventListener("close", (event) => handlers.onClose(event.code, event.reason, cause))
  return {
    // In the states CLOSING and CLOSED the WebSocket ignores it; while CONNECTING nobody sends.
    send: (frame) => socket.send(typeof frame === "string" ? frame : sendable(frame)),
    get bufferedAmount() {
      return socket.bufferedAmount
    },
    close: () => socket.close()
  }
}

const listen = (type: "offline" | "online" | "beforeunload", listener: () => void): (() => void) => {
  if (typeof addEventListener !== "function") return () => {}
  addEventListener(type, listener)
  return () => removeEventListener(type, listener)
}

/** The platform of the browser; it has no options. */
export const make = (_options?: PlatformOptions): ClientPlatform => ({
  name: "browser",
  get base() {
    return typeof location === "undefined" ? undefined : location.href
  },
  request,
  openWebSocket,
  onOffline: (listener) => listen("offline", listener),
  onOnline: (listener) => listen("online", listener),
  onBeforeUnload: (listener) => listen("beforeunload", listener)
})
