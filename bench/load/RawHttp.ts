/** An HTTP/1.1 client on one kept-alive TCP connection, one request at a time: what long-polling needs and no more. */
import * as Net from "node:net"

/** One connection; `request` resolves with the body of a 200 answer and rejects with any other. */
export interface RawHttp {
  readonly request: (method: "GET" | "POST", path: string, body?: string) => Promise<string>
  readonly destroy: () => void
}

/** Connects at the first request. */
export const make = (port: number): RawHttp => {
  let received = ""
  let closing = false
  let status = ""
  let waiting: { readonly resolve: (body: string) => void; readonly reject: (error: Error) => void } | undefined

  const finish = (body: string, used: number) => {
    received = received.slice(used)
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

  const socket = Net.connect({ host: "127.0.0.1", port, noDelay: true })
  socket.setEncoding("latin1")
  socket.on("data", (chunk) => {
    received += String(chunk)
    parse()
  })
  socket.on("error", () => {})
  socket.on("close", () => {
    if (!closing) waiting?.reject(new Error("the server dropped an HTTP connection"))
  })

  return {
    request: (method, path, body) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject }
        const content =
          body === undefined ? "" : `Content-Type: text/plain;charset=UTF-8\r\nContent-Length: ${body.length}\r\n`
        socket.write(
          `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAccept: */*\r\nConnection: keep-alive\r\n${content}\r\n${body ?? ""}`
        )
      }),
    destroy: () => {
      closing = true
      socket.destroy()
    }
  }
}
