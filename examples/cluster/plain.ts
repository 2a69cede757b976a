/** The plain server on all cores, with Socket.IO's own API: every message goes to everybody, whichever worker they are with. On `PORT` or 3000. */
import { Server } from "effect-socketio/facade"
import { createAdapter, setupPrimary } from "effect-socketio/facade/cluster-adapter"
import { setupPrimary as setupSticky, setupWorker } from "effect-socketio/facade/sticky"
import cluster from "node:cluster"
import { createServer } from "node:http"
import { availableParallelism } from "node:os"

const port = Number(process.env["PORT"] ?? 3000)

if (cluster.isPrimary) {
  const httpServer = createServer()
  setupSticky(httpServer, { loadBalancingMethod: "least-connection" })
  setupPrimary()
  for (let n = 0; n < availableParallelism(); n++) cluster.fork()
  cluster.on("exit", () => cluster.fork())
  httpServer.listen(port, () => console.log(`http://localhost:${port}, ${availableParallelism()} workers`))
} else {
  const io = new Server(createServer(), { adapter: createAdapter() })
  setupWorker(io)
  io.on("connection", (socket) => {
    socket.emit("hello", { worker: cluster.worker?.id })
    socket.on("message", (text: string) => io.emit("message", { from: socket.id, text }))
  })
}
