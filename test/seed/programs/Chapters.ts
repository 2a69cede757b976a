/** All programs of the seed that run in Node. */
import type { Programs } from "../Scene.ts"
import { broadcasting } from "./Broadcasting.ts"
import { inCluster } from "./Cluster.ts"
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

/** By chapter, as far as they also run on the official packages. */
export const chapters: Readonly<Record<string, Programs>> = {
  introduction,
  servers,
  frameworks,
  "server instance": serverInstance,
  "socket of the server": serverSocket,
  middleware,
  deployment,
  cluster: inCluster,
  "socket of the client": client,
  emitting,
  listening,
  broadcasting
}
