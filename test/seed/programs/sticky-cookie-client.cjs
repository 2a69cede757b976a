// The client of the part on sticky sessions across origins: it says whether the balancer's cookie came back with its next request.
const { createServer, request } = require("node:http")
const io = require(process.env.SEED_CLIENT)

// Stand-in for the balancer: it notes the cookie of every request that belongs to a session.
const [url] = process.argv.slice(2)
let cookie
const balancer = createServer((incoming, outgoing) => {
  if (incoming.url.includes("sid=")) cookie = incoming.headers.cookie
  const { method, headers } = incoming
  const onwards = request(url + incoming.url, { method, headers }, (answer) => {
    outgoing.writeHead(answer.statusCode, answer.headers)
    answer.pipe(outgoing)
  })
  // A poll that waits at the server ends with the one that waits here.
  onwards.on("error", () => outgoing.destroy())
  outgoing.on("close", () => onwards.destroy())
  incoming.pipe(onwards)
})

balancer.listen(0, "127.0.0.1", () => {
  const socket = io(`http://localhost:${balancer.address().port}`, {
    withCredentials: true,
    upgrade: false
  })
  socket.on("connect", () => {
    process.send({ connected: socket.connected, cookie })
    process.on("disconnect", () => {
      socket.disconnect()
      balancer.close()
      balancer.closeAllConnections()
    })
  })
})
