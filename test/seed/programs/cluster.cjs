// The part on Node's cluster module, with two workers; the parent gets the port when both are ready.
const cluster = require("node:cluster")
const http = require("node:http")
const { listenOnLoopback } = require("../Loopback.ts")
const { Server } = require(process.env.SEED_SERVER)
const numCPUs = 2
const { setupMaster, setupWorker } = require("@socket.io/sticky")
const { createAdapter, setupPrimary } = require("@socket.io/cluster-adapter")

if (cluster.isMaster) {
  listenOnLoopback()
  const httpServer = http.createServer()

  setupMaster(httpServer, {
    loadBalancingMethod: "least-connection"
  })

  setupPrimary()

  cluster.setupPrimary({
    serialization: "advanced"
  })

  httpServer.listen(0)

  for (let i = 0; i < numCPUs; i++) {
    cluster.fork()
  }

  let restarted = false
  cluster.on("exit", (worker) => {
    if (closing) return
    restarted = true
    console.log(`Worker ${worker.process.pid} died`)
    cluster.fork()
  })

  let closing = false
  let ready = 0
  cluster.on("message", (_, message) => {
    if (message === "ready" && ++ready >= numCPUs) process.send({ port: httpServer.address().port, restarted })
  })
  process.on("disconnect", () => {
    closing = true
    httpServer.close()
    httpServer.closeAllConnections()
    for (const worker of Object.values(cluster.workers)) worker.kill()
  })
} else {
  const httpServer = http.createServer()
  const io = new Server(httpServer)

  io.adapter(createAdapter())

  setupWorker(io)

  io.on("connection", (socket) => {
    socket.on("where", (callback) => callback(process.pid))
    socket.on("say", (text, picture) => io.emit("said", text, picture))
    socket.on("die", () => process.exit())
  })
  process.send("ready")
}
