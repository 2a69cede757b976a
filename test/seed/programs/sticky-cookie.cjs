// The server of the part on sticky sessions across origins. The cookie is a load balancer's, by `initial_headers`.
const { createServer } = require("node:http")
const { listenOnLoopback } = require("../Loopback.ts")

listenOnLoopback()
const httpServer = createServer()
const io = require(process.env.SEED_SERVER)(httpServer, {
  cors: {
    origin: "https://front-domain.com",
    methods: ["GET", "POST"],
    credentials: true
  }
})

io.engine.on("initial_headers", (headers) => {
  headers["set-cookie"] = "SERVERID=app01; path=/"
})
io.on("connection", (socket) => {
  socket.on("cookie", (callback) => callback(socket.conn.request.headers.cookie ?? null))
  socket.conn.on("upgrade", () => socket.emit("upgraded"))
})

httpServer.listen(0, () => process.send(httpServer.address().port))
process.on("disconnect", () => io.close())
