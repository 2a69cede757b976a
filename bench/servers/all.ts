/** Every server, in the order of the columns. A new one is a file here and an entry below. */
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import type { Server } from "./Server.ts"

const at = (file: string): string => new URL(file, import.meta.url).href

const known: ReadonlyArray<Server> = [
  { name: "official", about: "socket.io on ws", features: ["websocket", "polling"], module: at("official.ts") },
  { name: "ws", about: "bare ws, no logic", features: ["websocket"], module: at("ws.ts") },
  {
    name: "ws-cork",
    about: "bare ws, no logic, the TCP socket corked for the turn",
    features: ["websocket"],
    module: at("wsCork.ts")
  },
  {
    name: "ours",
    about: "effect-socketio, Effect API, contract events",
    features: ["websocket", "polling"],
    module: at("ours.ts")
  },
  {
    name: "facade",
    about: "effect-socketio, Socket.IO's API (the facade), socket.request kept",
    features: ["websocket", "polling"],
    module: at("facade.ts")
  },
  {
    name: "facade-lean",
    about: "the facade with keepRequest: false",
    features: ["websocket", "polling"],
    module: at("facadeLean.ts")
  }
]

/** Those whose module is there. */
export const servers: ReadonlyArray<Server> = known.filter((server) => existsSync(fileURLToPath(server.module)))
