/** All programs of the seed that run in Node. */
import type { Programs } from "../Scene.ts"
import { broadcasting } from "./Broadcasting.ts"
import { client } from "./Client.ts"
import { deployment } from "./Deployment.ts"
import { emitting } from "./Emitting.ts"
import { frameworks } from "./Frameworks.ts"
import { introduction } from "./Introduction.ts"
import { listening } from "./Listening.ts"
import { middleware } from "./Middleware.ts"
import { serverInstance } from "./ServerInstance.ts"
import { servers } from "./Servers.ts"
import { serverSocket } from "./ServerSocket.ts"

/** By chapter. */
export const chapters: Readonly<Record<string, Programs>> = {
  introduction,
  servers,
  frameworks,
  "server instance": serverInstance,
  "socket of the server": serverSocket,
  middleware,
  deployment,
  "socket of the client": client,
  emitting,
  listening,
  broadcasting
}
