/**
 * The official server in a process of its own, for what ends a process (T6). Prints its port; whatever `unhandledRejection` would do
 * to a program happens to it.
 */
import { official } from "./official.ts"

const server = await official().socket({ pingInterval: 25_000, pingTimeout: 20_000, connectTimeout: 45_000 })
console.log(JSON.stringify(server.endpoint))
