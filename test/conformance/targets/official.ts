/** The official packages as a target: engine.io 6.6.12 and socket.io 4.8.4. */
import { Server as OfficialEngine, type ServerOptions } from "engine.io"
import { Server as OfficialServer, type Socket as OfficialSocket } from "socket.io"
import * as msgpack from "socket.io-msgpack-parser"
import { Ledger } from "../raw/Wait.ts"
import type { EngineOptions, EngineServer, SocketOptions, SocketServer, Target } from "../Target.ts"
import { cut, host, listen, once, shut, slashed } from "./Host.ts"

const engineOptions = (options: EngineOptions): ServerOptions => ({
  ...(options.pingInterval === undefined ? {} : { pingInterval: options.pingInterval }),
  ...(options.pingTimeout === undefined ? {} : { pingTimeout: options.pingTimeout }),
  ...(options.upgradeTimeout === undefined ? {} : { upgradeTimeout: options.upgradeTimeout }),
  ...(options.maxHttpBufferSize === undefined ? {} : { maxHttpBufferSize: options.maxHttpBufferSize }),
  ...(options.transports === undefined ? {} : { transports: [...options.transports] }),
  ...(options.allowUpgrades === undefined ? {} : { allowUpgrades: options.allowUpgrades }),
  ...(options.cookie === undefined ? {} : { cookie: options.cookie }),
  ...(options.initialPacket === undefined ? {} : { initialPacket: options.initialPacket }),
  ...(options.refusable === true
    ? {
        allowRequest: (request, answer) => {
          const refuse = new URL(request.url ?? "/", "http://localhost").searchParams.get("refuse")
          answer(refuse, refuse === null)
        }
      }
    : {})
})

const attachOptions = (options: EngineOptions) => ({
  ...(options.path === undefined ? {} : { path: options.path }),
  ...(options.addTrailingSlash === undefined ? {} : { addTrailingSlash: options.addTrailingSlash }),
  ...(options.destroyUpgrade === undefined ? {} : { destroyUpgrade: options.destroyUpgrade }),
  ...(options.destroyUpgradeTimeout === undefined ? {} : { destroyUpgradeTimeout: options.destroyUpgradeTimeout })
})

/** The official target. */
export const official = (): Target => {
  const stops: Array<() => Promise<unknown>> = []

  const engine = async (options: EngineOptions): Promise<EngineServer> => {
    const closes = new Ledger<{ readonly reason: string; readonly at: number }>()
    const http = host(options)
    const server = new OfficialEngine(engineOptions(options))
    server.attach(http, attachOptions(options))
    server.on("connection", (socket) => {
      socket.on("message", (data: string | Buffer) => {
        const burst = typeof data === "string" ? /^burst (\d+)$/.exec(data) : null
        if (burst !== null) for (let i = 0; i < Number(burst[1]); i++) socket.send(`burst-${i}`)
        else if (data === "close") socket.close()
        else socket.send(data)
      })
      socket.on("close", (reason: string) => {
        closes.note((socket as unknown as { readonly id: string }).id, { reason, at: performance.now() })
      })
    })
    const port = await listen(http)
    stops.push(async () => {
      server.close()
      await shut(http)
    })
    return {
      endpoint: { port, path: slashed(options.path ?? "/engine.io") },
      closeOf: (sid) => closes.of(sid, "the server to close the session")
    }
  }

  const socket = async (options: SocketOptions): Promise<SocketServer> => {
    const disconnects = new Ledger<{ readonly reason: string; readonly at: number }>()
    const http = host(options)
    const io = new OfficialServer(http, {
      ...engineOptions(options),
      ...attachOptions(options),
      serveClient: false,
      ...(options.connectTimeout === undefined ? {} : { connectTimeout: options.connectTimeout }),
      ...(options.parser === "msgpack" ? { parser: msgpack } : {})
    })
    const onConnection = (socket: OfficialSocket) => {
      socket.on("disconnect", (reason) => disconnects.note(socket.id, { reason, at: performance.now() }))
      program(socket)
    }
    for (const name of ["/", "/custom", "/throwing"]) io.of(name).on("connection", onConnection)
    const dynamic = io.of(/^\/(?:room|guarded|slow)-.+$/)
    dynamic.use((socket, next) => {
      const name = socket.nsp.name
      if (name.startsWith("/slow-")) setTimeout(next, 100)
      else if (name.startsWith("/guarded-") && socket.handshake.auth["token"] !== "secret")
        next(Object.assign(new Error("not allowed"), { data: { code: 42 } }))
      else next()
    })
    dynamic.on("connection", onConnection)
    io.of("/throwing").use(async () => {
      throw new Error("broken middleware")
    })
    const port = await listen(http)
    stops.push(async () => {
      cut(http)
      await io.close()
    })
    return {
      endpoint: { port, path: slashed(options.path ?? "/socket.io") },
      disconnectOf: (id) => disconnects.of(id, "the server to disconnect the socket"),
      stop: () => io.close()
    }
  }

  return {
    name: "official server",
    official: true,
    engine: once(engine),
    socket: once(socket),
    stop: async () => {
      await Promise.all(stops.map((stop) => stop()))
    }
  }
}

type Answer = (...args: ReadonlyArray<unknown>) => void

/** Where the client asked for no acknowledgement there is nobody to answer. */
const nobody: Answer = () => undefined

const partial = (error: unknown): ReadonlyArray<unknown> => {
  const responses = (error as { readonly responses?: ReadonlyArray<unknown> }).responses
  return responses === undefined ? [] : [...responses].sort()
}

/** The program of `SocketServer` in Target.ts, in the official API. */
export const program = (socket: OfficialSocket): void => {
  const nsp = socket.nsp
  socket.emit("auth", socket.handshake.auth)
  socket.on("message", (...args) => socket.emit("message-back", ...args))
  socket.on("message-with-ack", (...args) => (args.pop() as Answer)(...args))
  socket.on("burst", (n: number) => {
    for (let i = 0; i < n; i++) socket.emit("burst", i)
  })
  socket.on("volatile", (value: unknown, ack: Answer = nobody) => {
    socket.volatile.emit("told", value)
    ack()
  })
  socket.on("join", async (room: string, ack: Answer = nobody) => {
    await socket.join(room)
    ack()
  })
  socket.on("leave", async (room: string, ack: Answer = nobody) => {
    await socket.leave(room)
    ack()
  })
  socket.on("to", (rooms: Array<string>, except: Array<string>, value: unknown, ack: Answer = nobody) => {
    socket.to(rooms).except(except).emit("told", value)
    ack()
  })
  socket.on("all", (value: unknown, ack: Answer = nobody) => {
    nsp.emit("told", value)
    ack()
  })
  socket.on("ask", async (peer: string, timeout: number, value: unknown, ack: Answer = nobody) => {
    const other = nsp.sockets.get(peer)
    if (other === undefined) return ack("failed")
    try {
      const asked = timeout === 0 ? other : other.timeout(timeout)
      ack("answer", await asked.emitWithAck("question", value))
    } catch {
      ack("failed")
    }
  })
  socket.on("ask-all", (timeout: number, value: unknown, ack: Answer = nobody) => {
    if (timeout === 0) {
      nsp.emit("question", value, (error: Error | null, answers: Array<unknown>) => {
        if (error === null) ack("answers", [...answers].sort())
        else ack("failed", [...answers].sort())
      })
      return
    }
    nsp
      .timeout(timeout)
      .emitWithAck("question", value)
      .then(
        (answers: Array<unknown>) => ack("answers", [...answers].sort()),
        (error: unknown) => ack("failed", partial(error))
      )
  })
  socket.on("count", (ack: Answer = nobody) => ack(nsp.sockets.size))
  socket.on("whoami", (ack: Answer = nobody) => ack(socket.id))
  socket.on("leave-me", (close: boolean) => {
    socket.disconnect(close)
  })
  socket.on("kick", (room: string, close: boolean, ack: Answer = nobody) => {
    nsp.in(room).disconnectSockets(close)
    ack()
  })
  socket.on("join-room-of", (room: string, into: string, ack: Answer = nobody) => {
    nsp.in(room).socketsJoin(into)
    ack()
  })
  socket.on("double-ack", (ack: Answer = nobody) => {
    ack(1)
    ack(2)
  })
  socket.on("fail", async () => {
    throw new Error("handler failed")
  })
}
