/** Every measured client, under the name of the column that it stands in. */
import type { Server } from "../servers/Server.ts"

const at = (file: string): string => new URL(file, import.meta.url).href

/** In the order of the columns. */
export const clients: ReadonlyArray<Server> = [
  { name: "official", about: "socket.io-client in Node", features: ["websocket"], module: at("official.ts") },
  {
    name: "ours",
    about: "effect-socketio's client, Effect API, contract events",
    features: ["websocket"],
    module: at("ours.ts")
  },
  {
    name: "facade-lean",
    about: "effect-socketio's client behind Socket.IO's API",
    features: ["websocket"],
    module: at("facade.ts")
  }
]
