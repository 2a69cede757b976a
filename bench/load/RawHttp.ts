/** An HTTP/1.1 client on one kept-alive TCP connection, one request at a time: what long-polling needs and no more. */
import * as Net from "node:net"

/** One connection; `request` resolves with the body of a 200 answer and rejects with any other. */
export interface RawHttp {
  readonly request: (method: "GET" | "POST", path: string, body?: string) => Promise<string>
  readonly destroy: () => void
}

/** Connects at once, and again when the server has dropped an idle connection. */
export const make = (port: number): RawHttp => {
  let received = ""
  let closing = false
  let status = ""
  let waiting:
    | { readonly text: string; readonly resolve: (body: string) => void; readonly reject: (error: Error) => void }
    | undefined
  let socket: Net.Socket | undefined
  /** Whether the connection has carried an answer: only then may the server have dropped it for being idle. */
  let used = false

  const finish = (body: string, length: number) => {
    received = received.slice(length)
    used = true
    const { resolve, reject } = waiting!
    waiting = undefined
    if (status === "200") resolve(body)
    else reject(new Error(`HTTP ${status}: ${body}`))
  }

  // All bodies of this benchmark are ASCII, so characters are bytes.
  const parse = () => {
    if (waiting === undefined) return
    const end = received.indexOf("\r\n\r\n")
    if (end < 0) return
    const head = received.slice(0, end)
    status = head.slice(9, 12)
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)
    if (length !== null) {
      const last = end + 4 + Number(length[1])
      if (received.length >= last) finish(received.slice(end + 4, last), last)
      return
    }
    let at = end + 4
    let body = ""
    for (;;) {
      const line = received.indexOf("\r\n", at)
      if (line < 0) return
      const size = Number.parseInt(received.slice(at, line), 16)
      at = line + 2
      if (received.length < at + size + 2) return
      if (size === 0) return finish(body, at + 2)
      body += received.slice(at, at + size)
      at += size + 2
    }
  }

  const open = (): Net.Socket => {
    const opened = Net.connect({ host: "127.0.0.1", port, noDelay: true })
    socket = opened
    used = false
    received = ""
    opened.setEncoding("latin1")
    opened.on("data", (chunk) => {
      received += String(chunk)
      parse()
    })
    opened.on("error", () => {})
    opened.on("close", () => {
      socket = undefined
      if (closing || waiting === undefined) return
      // Servers drop connections that were idle for some seconds; what was written meanwhile they have not seen.
      if (used && received === "") open().write(waiting.text)
      else waiting.reject(new Error("the server dropped an HTTP connection"))
    })
    return opened
  }
  open()

  return {
    request: (method, path, body) =>
      new Promise((resolve, reject) => {
        const content =
          body === undefined ? "" : `Content-Type: text/plain;charset=UTF-8\r\nContent-Length: ${body.length}\r\n`
        const head = `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAccept: */*\r\nConnection: keep-alive\r\n`
        const text = `${head}${content}\r\n${body ?? ""}`
        waiting = { text, resolve, reject }
        ;(socket ?? open()).write(text)
      }),
    destroy: () => {
      closing = true
      socket?.destroy()
    }
  }
}
