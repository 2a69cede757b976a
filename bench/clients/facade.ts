/** Our client behind Socket.IO's API: the program of `official.ts`, with the import changed. */
import { io } from "effect-socketio/facade/client"
import type { Start } from "../servers/Server.ts"
import { serve } from "./events.ts"

/** Connects it. */
export const start: Start = async ({ port }) => {
  serve(io(`http://127.0.0.1:${port}`, { transports: ["websocket"] }))
  return { port: port! }
}
