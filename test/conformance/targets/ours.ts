/**
 * Our own server as a target: the engine through `EngineServer.make`, Socket.IO through `SocketServer.serve`, on a port of its own or
 * attached to a host with an application beside.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import type * as EngineConfig from "../../../src/engine/EngineConfig.ts"
import { EngineHost } from "../../../src/engine/EngineHost.ts"
import * as EngineServer from "../../../src/engine/EngineServer.ts"
import type { OnSession } from "../../../src/engine/EngineServer.ts"
import * as NodeEngine from "../../../src/node/NodeEngine.ts"
import * as EnginePacket from "../../../src/protocol/EnginePacket.ts"
import * as FrameGroup from "../../../src/protocol/FrameGroup.ts"
import { InMemoryAdapter, SocketServer } from "../../../src/index.ts"
import { msgpack } from "../../../src/protocol/MsgpackCodec.ts"
import { Ledger } from "../raw/Wait.ts"
import type * as Target from "../Target.ts"
import { namespaces } from "./oursProgram.ts"
import { cut, host, listen, once, slashed } from "./Host.ts"

/** Engine options in our names. */
export const engineOptions = (options: Target.EngineOptions): EngineConfig.EngineOptions => ({
  ...(options.pingInterval === undefined ? {} : { pingInterval: options.pingInterval }),
  ...(options.pingTimeout === undefined ? {} : { pingTimeout: options.pingTimeout }),
  ...(options.upgradeTimeout === undefined ? {} : { upgradeTimeout: options.upgradeTimeout }),
  ...(options.maxHttpBufferSize === undefined ? {} : { maxHttpBufferSize: options.maxHttpBufferSize }),
  ...(options.transports === undefined ? {} : { transports: options.transports }),
  ...(options.allowUpgrades === undefined ? {} : { allowUpgrades: options.allowUpgrades }),
  ...(options.cookie === undefined ? {} : { cookie: options.cookie }),
  ...(options.initialPacket === undefined ? {} : { initialPacket: options.initialPacket }),
  ...(options.refusable === true
    ? {
        allowRequest: (request) => {
          const refuse = new URL(request.url, "http://localhost").searchParams.get("refuse")
          return Effect.succeed(refuse === null ? true : refuse === "" ? false : refuse)
        }
      }
    : {})
})

/** A host on a free port of 127.0.0.1 and how to learn it: attached when another application stands beside, else of its own. */
export const hostLayer = async (
  options: Target.EngineOptions
): Promise<{
  readonly layer: Layer.Layer<EngineHost>
  readonly port: number | undefined
  readonly stop: () => void
}> => {
  const node = {
    ...(options.destroyUpgrade === undefined ? {} : { destroyUpgrade: options.destroyUpgrade }),
    ...(options.destroyUpgradeTimeout === undefined ? {} : { destroyUpgradeTimeout: options.destroyUpgradeTimeout }),
    shutdownTimeout: 100
  }
  if (options.beside !== true) {
    return { layer: NodeEngine.layer({ port: 0, host: "127.0.0.1", ...node }), port: undefined, stop: () => undefined }
  }
  const http = host(options)
  const port = await listen(http)
  return {
    layer: NodeEngine.layerAttach(http, node),
    port,
    stop: () => {
      http.close()
      cut(http)
    }
  }
}

const whole = { volatile: false, compress: true } as const

const message = (data: string | Uint8Array): FrameGroup.FrameGroup =>
  FrameGroup.make(EnginePacket.encode(EnginePacket.make("message", data)))

/** Our target. */
export const ours = (): Target.Target => {
  const stops: Array<() => Promise<unknown>> = []

  const engine = async (options: Target.EngineOptions): Promise<Target.EngineServer> => {
    const closes = new Ledger<{ readonly reason: string; readonly at: number }>()
    const onSession: OnSession = (session) => ({
      onMessage: (data) => {
        const burst = typeof data === "string" ? /^burst (\d+)$/.exec(data) : null
        if (burst !== null) for (let i = 0; i < Number(burst[1]); i++) session.write(message(`burst-${i}`), whole)
        else if (data === "close") session.close("forced close")
        else session.write(message(data), whole)
      },
      onDrain: () => undefined,
      onClose: ({ reason }) => closes.note(session.id, { reason, at: performance.now() })
    })
    const scope = Scope.makeUnsafe()
    const hosted = await hostLayer(options)
    const path = options.path ?? "/engine.io"
    const addTrailingSlash = options.addTrailingSlash ?? true
    const port = await Effect.runPromise(
      Effect.gen(function* () {
        const context = yield* Layer.build(hosted.layer)
        const engineHost = Context.get(context, EngineHost)
        const server = yield* EngineServer.make(engineOptions(options), onSession)
        yield* engineHost.serve(server, {
          path: addTrailingSlash ? slashed(path) : path,
          addTrailingSlash,
          maxPayload: server.config.maxPayload
        })
        return (yield* engineHost.address)?.port
      }).pipe(Scope.provide(scope))
    )
    stops.push(async () => {
      await Effect.runPromise(Scope.close(scope, Exit.void))
      hosted.stop()
    })
    return {
      endpoint: { port: hosted.port ?? port ?? 0, path: slashed(path) },
      closeOf: (sid) => closes.of(sid, "the server to close the session")
    }
  }

  const socket = async (options: Target.SocketOptions): Promise<Target.SocketServer> => {
    const disconnects = new Ledger<{ readonly reason: string; readonly at: number }>()
    const hosted = await hostLayer(options)
    const scope = Scope.makeUnsafe()
    const path = options.path ?? "/socket.io"
    const serving = SocketServer.serve(namespaces(disconnects), {
      ...engineOptions(options),
      path,
      ...(options.addTrailingSlash === undefined ? {} : { addTrailingSlash: options.addTrailingSlash }),
      ...(options.connectTimeout === undefined ? {} : { connectTimeout: options.connectTimeout }),
      ...(options.parser === "msgpack" ? { parser: msgpack } : {})
    }).pipe(Layer.provide(InMemoryAdapter.layer), Layer.provideMerge(hosted.layer))
    const port = await Effect.runPromise(
      Effect.gen(function* () {
        const context = yield* Layer.build(serving)
        return (yield* Context.get(context, EngineHost).address)?.port
      }).pipe(Scope.provide(scope))
    )
    const stop = async () => {
      await Effect.runPromise(Scope.close(scope, Exit.void))
      hosted.stop()
    }
    stops.push(stop)
    return {
      endpoint: { port: hosted.port ?? port ?? 0, path: slashed(path) },
      disconnectOf: (id) => disconnects.of(id, "the server to disconnect the socket"),
      stop
    }
  }

  return {
    name: "our server",
    official: false,
    engine: once(engine),
    socket: once(socket),
    stop: async () => {
      await Promise.all(stops.map((stop) => stop()))
    }
  }
}
