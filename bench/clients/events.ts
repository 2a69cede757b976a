/** The program of a measured client with Socket.IO's API; see `bench/load/Peer.ts`. */
import { message } from "../Message.ts"

/** How many events await their ack at a time. */
export const concurrency = 16

interface Socket {
  on(event: string, listener: (...args: Array<never>) => void): unknown
  emit(event: string, ...args: Array<unknown>): unknown
}

/** Adds the listeners. */
export const serve = (socket: Socket): void => {
  let received = 0
  socket.on("news", (news: { readonly at: number }) => {
    received += news.at > 0 ? 1 : 0
  })
  socket.on("sync", () => {
    if (received === 0) throw new Error("nothing was received")
    received = 0
    socket.emit("synced")
  })
  socket.on("ask", (count: number) => {
    let started = 0
    let answered = 0
    const ask = () => {
      started++
      socket.emit("ask", message, (answer: { readonly id: number }) => {
        if (answer.id !== 1) throw new Error("another answer than expected")
        answered++
        if (started < count) ask()
        else if (answered === count) socket.emit("asked")
      })
    }
    for (let i = 0; i < concurrency; i++) ask()
  })
}
