// The CommonJS form of a server alone; the parent asks which sockets it has.
const { listenOnLoopback } = require("../Loopback.ts")
const { Server } = require(process.env.SEED_SERVER)

listenOnLoopback()
const ids = []

const io = new Server({})

io.on("connection", (socket) => {
  ids.push(socket.id)
})

io.listen(0)

io.httpServer.on("listening", () => process.send(io.httpServer.address().port))
process.on("message", () => process.send(ids))
process.on("disconnect", () => io.close())
