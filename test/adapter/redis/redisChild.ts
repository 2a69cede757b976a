/** A server with one socket in a process of its own, to be stopped and killed: `node redisChild.ts <url of Redis> <key> <way>`. Prints "ready". */
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { createClient } from "redis"
import { io as connect } from "socket.io-client"
import { createAdapter, createShardedAdapter } from "../../../src/facade/adapters/redis-adapter.ts"
import { Server } from "../../../src/facade/server.ts"

const [, , url = "", prefix = "", way] = process.argv
const pub = createClient({ url })
const sub = pub.duplicate()
await Promise.all([pub.connect(), sub.connect()])
const http = createServer()
const adapter =
  way === "plain" ? createAdapter(pub, sub, { key: prefix }) : createShardedAdapter(pub, sub, { channelPrefix: prefix })
const io = new Server({ adapter })
io.attach(http)
await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve))
const client = connect(`http://127.0.0.1:${(http.address() as AddressInfo).port}`, { transports: ["websocket"] })
client.once("connect", () => console.log("ready"))
