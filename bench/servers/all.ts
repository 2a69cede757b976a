/** Every server, in the order of the columns. A new one is a file here and an entry below. */
import type { Server } from "./Server.ts"

const at = (file: string): string => new URL(file, import.meta.url).href

/** All of them. */
export const servers: ReadonlyArray<Server> = [
  {
    name: "official",
    about: "socket.io on ws",
    features: ["websocket", "polling", "churn"],
    module: at("official.ts")
  },
  { name: "ws", about: "bare ws, no logic", features: ["websocket"], module: at("ws.ts") },
  {
    name: "ws-cork",
    about: "bare ws, no logic, the TCP socket corked for the turn",
    features: ["websocket"],
    module: at("wsCork.ts"),
    // Elsewhere it does what bare ws does.
    only: [
      "echo",
      "echo-burst",
      "ack",
      "broadcast",
      "broadcast-turn",
      "broadcast-saturated",
      "broadcast-5000",
      "broadcast-rooms"
    ]
  },
  {
    name: "ours",
    about: "effect-socketio, Effect API, contract events",
    features: ["websocket", "polling", "churn", "contract"],
    module: at("ours.ts")
  },
  {
    name: "facade-lean",
    about: "effect-socketio, Socket.IO's API (the facade), keepRequest: false",
    features: ["websocket", "polling", "churn"],
    module: at("facadeLean.ts")
  },
  {
    name: "facade",
    about: "the facade with its defaults: socket.request kept",
    features: ["websocket", "polling", "churn"],
    module: at("facade.ts"),
    // A kept request is memory, and work once a connection.
    only: ["connect", "connect-upgrade", "idle"]
  },
  {
    name: "ours-untyped",
    about: "effect-socketio, Effect API, a namespace without a contract",
    features: ["websocket", "polling", "contract"],
    module: at("oursUntyped.ts"),
    only: ["validated"]
  }
]
