/** Every question is settled, once and at once, whatever ends the connection, on both sides. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as InMemoryAdapter from "../../src/adapter/InMemoryAdapter.ts"
import * as SocketClient from "../../src/client/index.ts"
import { Event, Namespace } from "../../src/contract/index.ts"
import type { Socket } from "../../src/socket/Socket.ts"
import * as SocketServer from "../../src/socket/SocketServer.ts"
import * as MemoryNetwork from "../../src/testing/MemoryNetwork.ts"

const Quiz = Namespace.make("/quiz", {
  fromClient: { ask: Event.make({ args: [Schema.Int], ack: Schema.Int }) },
  fromServer: { ask: Event.make({ args: [Schema.Int], ack: Schema.Int }) }
})

type Transports = ReadonlyArray<"polling" | "websocket">

interface World {
  readonly network: MemoryNetwork.MemoryNetwork["Service"]
  readonly socket: Socket<typeof Quiz>
  readonly client: SocketClient.Socket<typeof Quiz>
  readonly stopServer: Effect.Effect<void>
  readonly stopClient: Effect.Effect<void>
}

/** How a connection can end, with what each side then says of its open questions. */
const ends: ReadonlyArray<{
  readonly name: string
  readonly server: string
  readonly client: string
  /** Milliseconds until all is settled; default 1000. */
  readonly within?: number
  readonly end: (world: World) => Effect.Effect<unknown>
}> = [
  {
    name: "the server disconnects the socket",
    server: "server namespace disconnect",
    client: "io server disconnect",
    end: ({ socket }) => socket.disconnect()
  },
  {
    name: "the server closes the connection",
    server: "server namespace disconnect",
    client: "io server disconnect",
    end: ({ socket }) => socket.disconnect(true)
  },
  {
    name: "the server shuts down",
    server: "server shutting down",
    client: "transport close",
    end: ({ stopServer }) => stopServer
  },
  {
    name: "the client disconnects",
    server: "client namespace disconnect",
    client: "io client disconnect",
    end: ({ client }) => client.disconnect
  },
  {
    name: "the client's scope closes",
    server: "client namespace disconnect",
    client: "io client disconnect",
    end: ({ stopClient }) => stopClient
  },
  {
    name: "the connection is reset",
    // Between two polls the server does not see it, before the heartbeat fails.
    server: "t",
    client: "transport",
    within: 45_000,
    end: ({ network }) => network.reset()
  }
]

const reasonOf = (exit: Exit.Exit<unknown, unknown>): string => {
  if (Exit.isSuccess(exit)) return "answered"
  const error = exit.cause.reasons.find((reason) => reason._tag === "Fail")?.error as
    | { readonly _tag?: string; readonly reason?: string }
    | undefined
  return error?._tag === "Disconnected" ? String(error.reason) : String(error?._tag ?? "interrupted")
}

const start = (transports: Transports, latency: number) =>
  Effect.gen(function* () {
    const network = yield* MemoryNetwork.MemoryNetwork
    const sockets: Array<Socket<typeof Quiz>> = []
    const serverScope = yield* Scope.fork(yield* Effect.scope)
    const clientScope = yield* Scope.fork(yield* Effect.scope)
    const live = SocketServer.namespace(Quiz, (socket) =>
      Effect.gen(function* () {
        sockets.push(socket)
        yield* socket.join("all")
        yield* socket.on("ask", (n) => (n < 0 ? Effect.never : Effect.succeed(n)))
      })
    )
    const layer = SocketServer.serve(live).pipe(
      Layer.provide(InMemoryAdapter.layer),
      Layer.provide(MemoryNetwork.layerHost("server"))
    )
    const built = yield* Layer.buildWithScope(layer, serverScope)
    yield* network.latency(latency)
    const connecting = yield* SocketClient.connect(Quiz, {
      url: "http://server",
      transports,
      reconnection: false
    }).pipe(Scope.provide(clientScope), Effect.forkScoped({ startImmediately: true }))
    // One step beyond the handshake over polling: where an upgrade is possible, it is under way.
    while (connecting.pollUnsafe() === undefined) yield* MemoryNetwork.adjust(5)
    const client = yield* Fiber.join(connecting)
    yield* client.on("ask", (n) => (n < 0 ? Effect.never : Effect.succeed(n)))
    const world: World = {
      network,
      socket: sockets[0]!,
      client,
      stopServer: Scope.close(serverScope, Exit.void),
      stopClient: Scope.close(clientScope, Exit.void)
    }
    return { world, built }
  })

const questions = 5

for (const transports of [["polling"], ["websocket"], ["polling", "websocket"]] as ReadonlyArray<Transports>) {
  describe(`open questions over ${transports.join(", then ")}`, () => {
    for (const { client: clientReason, end, name, server: serverReason, within = 1000 } of ends) {
      for (const latency of [0, 20]) {
        it.effect(`${name}, with a latency of ${latency} ms: each is settled once, without waiting for a timeout`, () =>
          Effect.gen(function* () {
            const { built, world } = yield* start(transports, latency)
            const { client, socket } = world
            const ofServer: Array<string> = []
            const ofClient: Array<string> = []
            const ofBroadcast: Array<string> = []
            const note = (list: Array<string>) => (exit: Exit.Exit<unknown, unknown>) =>
              Effect.sync(() => void list.push(reasonOf(exit)))
            const forever = "1 hour"
            for (let i = 1; i <= questions; i++) {
              yield* Effect.forkScoped(Effect.onExit(socket.timeout(forever).emitWithAck("ask", -i), note(ofServer)), {
                startImmediately: true
              })
              yield* Effect.forkScoped(Effect.onExit(client.timeout(forever).emitWithAck("ask", -i), note(ofClient)), {
                startImmediately: true
              })
            }
            const all = yield* Effect.provideContext(SocketServer.handle(Quiz), built)
            yield* all
              .to("all")
              .timeout(forever)
              .emitWithAck("ask", -1)
              .pipe(Stream.runDrain, Effect.onExit(note(ofBroadcast)), Effect.forkScoped({ startImmediately: true }))
            // Something is on its way when it ends.
            yield* MemoryNetwork.adjust(latency)
            yield* end(world)
            yield* MemoryNetwork.adjust(within)
            assert.strictEqual(ofServer.length, questions)
            assert.strictEqual(ofClient.length, questions)
            for (const reason of ofServer) assert.include(reason, serverReason)
            // Who is told by the protocol says so, who only sees the connection go says that.
            for (const reason of ofClient) assert.match(reason, new RegExp(`${clientReason}|^transport (close|error)$`))
            assert.deepStrictEqual(ofBroadcast, ["PartialResult"])
          }).pipe(Effect.scoped, Effect.provide(MemoryNetwork.layer, { local: true }))
        )
      }
    }
  })
}
