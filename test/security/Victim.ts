/**
 * A server under attack, of either API, with a bystander whose events must go on being answered.
 */
import { Server } from "effect-socketio/facade"
import { io, type Socket } from "socket.io-client"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Context from "effect/Context"
import type { AddressInfo } from "node:net"
import { InMemoryAdapter, Namespace, SocketServer } from "../../src/index.ts"
import { EngineHost } from "../../src/engine/EngineHost.ts"
import * as NodeEngine from "../../src/node/NodeEngine.ts"
import type { Endpoint } from "../conformance/raw/Http.ts"
import { within } from "../conformance/raw/Wait.ts"

/** Bytes that a message may have. */
export const maxHttpBufferSize = 100_000

/** A running server. */
export interface Victim {
  readonly endpoint: Endpoint
  /** Asks the server for an echo through a connection that was there before the attack. */
  bystander(): Promise<void>
  stop(): Promise<void>
}

const withBystander = async (port: number, stop: () => Promise<void>): Promise<Victim> => {
  const socket: Socket = io(`http://127.0.0.1:${port}`, { transports: ["websocket"], reconnection: false })
  await within(new Promise<void>((resolve) => socket.once("connect", () => resolve())), "the bystander to connect")
  let asked = 0
  return {
    endpoint: { port, path: "/socket.io/" },
    bystander: async () => {
      const value = `still here ${asked++}`
      const answer: unknown = await socket.timeout(10_000).emitWithAck("echo", value)
      if (answer !== value) throw new Error(`the bystander was answered ${String(answer)}`)
    },
    stop: async () => {
      socket.disconnect()
      await stop()
    }
  }
}

/** The Effect API, without a contract: whatever arrives reaches a handler. */
export const effect = async (): Promise<Victim> => {
  const live = SocketServer.namespace(Namespace.untyped("/"), (socket) =>
    socket.on("echo", (...args) => Effect.succeed(args[0]))
  )
  const runtime = ManagedRuntime.make(
    SocketServer.serve(live, { maxHttpBufferSize }).pipe(
      Layer.provide(InMemoryAdapter.layer),
      Layer.provideMerge(NodeEngine.layer({ port: 0, host: "127.0.0.1", shutdownTimeout: 100 }))
    )
  )
  const context = await runtime.context()
  const address = await runtime.runPromise(Context.get(context, EngineHost).address)
  if (address === undefined) throw new Error("no port")
  return withBystander(address.port, () => runtime.dispose())
}

/** The facade. */
export const facade = async (): Promise<Victim> => {
  const server = new Server(0, { maxHttpBufferSize })
  server.on("connection", (socket) => {
    socket.on("echo", (value: unknown, ack: unknown) => {
      if (typeof ack === "function") ack(value)
    })
  })
  const { port } = server.httpServer.address() as AddressInfo
  return withBystander(port, () => server.close())
}
