/** The seed's servers listen on every address; those of the tests on this machine only. */
import { Server } from "node:net"

type Listen = (this: Server, ...args: Array<unknown>) => Server

/** From now on, servers of this process that are given a port and no host listen on 127.0.0.1. Gives back the way back. */
export const listenOnLoopback = (): (() => void) => {
  const original = Server.prototype.listen
  const patched: Listen = function (...args) {
    const listen = original as Listen
    if (typeof args[0] !== "number" || typeof args[1] === "string") return listen.apply(this, args)
    return listen.apply(this, [args[0], "127.0.0.1", ...args.slice(1).filter((each) => typeof each === "function")])
  }
  Server.prototype.listen = patched as typeof original
  return () => {
    Server.prototype.listen = original
  }
}
