/** The official server with its defaults. */
import type { AddressInfo } from "node:net"
import { createServer } from "node:http"
import { Server } from "socket.io"
import { type FromClient, type FromServer, serve } from "./events.ts"
import type { Start } from "./Server.ts"

/** Starts it. */
export const start: Start = ({ allEvents }) =>
  new Promise((resolve) => {
    const http = createServer()
    serve(new Server<FromClient, FromServer>(http), allEvents)
    http.listen(0, "127.0.0.1", () => resolve({ port: (http.address() as AddressInfo).port }))
  })
