/** Call sites of the plain server, as programs of Socket.IO write them. Compiled by `npm run check`. */
import { createServer } from "node:http"
import { createServer as createHttp2 } from "node:http2"
import { createServer as createHttps } from "node:https"
import { expectTypeOf, test } from "vitest"
import {
  Adapter,
  type BroadcastOperator,
  type DefaultEventsMap,
  type DisconnectReason,
  type EventNamesWithAck,
  type EventNamesWithError,
  type EventNamesWithoutAck,
  type Event,
  type ExtendedError,
  type FirstNonErrorArg,
  type ListenerFailure,
  type Namespace,
  type RemoteSocket,
  Server,
  type Socket
} from "../../src/facade/server.ts"

interface ClientToServerEvents {
  hello: () => void
  save: (id: number, text: string) => void
  load: (id: number, callback: (text: string) => void) => void
}

interface ServerToClientEvents {
  noArgs: () => void
  basic: (a: number, b: string) => void
  ask: (question: string, answer: (yes: boolean) => void) => void
  both: (answer: (a: string, b: number) => void) => void
  only: (answer: () => void) => void
  message: (text: string) => void
}

interface InterServerEvents {
  ping: (n: number) => void
  count: (scope: string, callback: (n: number) => void) => void
}

interface SocketData {
  name: string
}

type Typed = Server<ClientToServerEvents, ServerToClientEvents, InterServerEvents, SocketData>

/** Never called: only its types matter. */
const compiled = (_f: () => unknown): void => {}

test("constructors", () => {
  compiled(() => [
    new Server(),
    new Server(0),
    new Server(0, { path: "/x" }),
    new Server({ pingInterval: 1, cors: { origin: "https://example.com" } }),
    new Server(createServer(), { transports: ["websocket"] }),
    new Server(createHttps({}), {}),
    new Server(createHttp2({}), {}),
    // @ts-expect-error no such option
    new Server({ pingIntervall: 1 })
  ])
})

test("without types everything goes", () => {
  compiled(() => {
    const io = new Server()
    expectTypeOf(io).toEqualTypeOf<Server<DefaultEventsMap, DefaultEventsMap, DefaultEventsMap>>()
    io.on("connection", (socket) => {
      expectTypeOf(socket).toEqualTypeOf<Socket<DefaultEventsMap, DefaultEventsMap, DefaultEventsMap>>()
      expectTypeOf(socket.data).toBeAny()
      socket.data.whatever = 1
      socket.on("random", (a, b, c) => {
        expectTypeOf(a).toBeAny()
        expectTypeOf(b).toBeAny()
        expectTypeOf(c).toBeAny()
      })
      socket.emit("random", 1, "2", [3])
      expectTypeOf(socket.emitWithAck("random", 1)).resolves.toBeAny()
      expectTypeOf(socket.timeout(1).emitWithAck("random")).resolves.toBeAny()
      socket.timeout(1).emit("random", (error: Error) => void error)
    })
    io.emit("random", 1)
    io.of("/x").to("room").emit("random", [1])
    expectTypeOf(io.timeout(1).emitWithAck("random")).resolves.toBeAny()
    io.serverSideEmit("random", 1)
  })
})

test("what sockets tell", () => {
  compiled(() => {
    const io: Typed = new Server()
    io.on("connection", (socket) => {
      socket.on("disconnect", (reason, description) => {
        expectTypeOf(reason).toEqualTypeOf<DisconnectReason>()
        expectTypeOf(description).toBeAny()
      })
      socket.on("disconnecting", (reason) => expectTypeOf(reason).toEqualTypeOf<DisconnectReason>())
      socket.on("error", (error) => expectTypeOf(error).toEqualTypeOf<Error>())
      socket.use((event, next) => {
        expectTypeOf(event).toEqualTypeOf<Event>()
        expectTypeOf(next).parameter(0).toEqualTypeOf<Error | undefined>()
      })
      socket.onAny((event, ...args) => {
        expectTypeOf(event).toBeAny()
        expectTypeOf(args).toEqualTypeOf<Array<DefaultEventsMap extends infer _ ? typeof event : never>>()
      })
    })
    io.on("listener_error", (error, where) => {
      expectTypeOf(error).toBeAny()
      expectTypeOf(where).toEqualTypeOf<ListenerFailure>()
    })
  })
})

test("listeners get the arguments of the map", () => {
  compiled(() => {
    const io: Typed = new Server()
    for (const of of [io.of("/x"), io.sockets]) {
      of.on("connection", (socket) => {
        expectTypeOf(socket.data).toEqualTypeOf<SocketData>()
        socket.on("hello", (...args) => expectTypeOf(args).toEqualTypeOf<[]>())
        socket.on("save", (id, text) => {
          expectTypeOf(id).toEqualTypeOf<number>()
          expectTypeOf(text).toEqualTypeOf<string>()
        })
        socket.once("load", (id, callback) => {
          expectTypeOf(id).toEqualTypeOf<number>()
          expectTypeOf(callback).toEqualTypeOf<(text: string) => void>()
        })
        // @ts-expect-error no such event
        socket.on("missing", () => {})
        // @ts-expect-error not these arguments
        socket.on("save", (a: string) => void a)
      })
    }
    io.use((socket, next) => {
      expectTypeOf(socket.data).toEqualTypeOf<SocketData>()
      expectTypeOf(next).parameter(0).toEqualTypeOf<ExtendedError | undefined>()
    })
    io.on("new_namespace", (namespace) =>
      expectTypeOf(namespace).toEqualTypeOf<
        Namespace<ClientToServerEvents, ServerToClientEvents, InterServerEvents, SocketData>
      >()
    )
  })
})

test("emit takes the arguments of the map", () => {
  compiled(() => {
    const io: Typed = new Server()
    io.on("connection", (socket) => {
      socket.emit("noArgs")
      socket.emit("basic", 1, "2")
      socket.emit("ask", "?", (yes) => expectTypeOf(yes).toEqualTypeOf<boolean>())
      socket.volatile.compress(false).emit("basic", 1, "2")
      socket.send("text")
      // @ts-expect-error an argument too few
      socket.emit("basic", 1)
      // @ts-expect-error another type
      socket.emit("basic", "1", "2")
      // @ts-expect-error no such event
      socket.emit("hello")
      socket.timeout(1).emit("ask", "?", (error, yes) => {
        expectTypeOf(error).toEqualTypeOf<Error>()
        expectTypeOf(yes).toEqualTypeOf<boolean>()
      })
      expectTypeOf(socket.emitWithAck("ask", "?")).toEqualTypeOf<Promise<boolean>>()
      expectTypeOf(socket.timeout(1).emitWithAck("ask", "?")).toEqualTypeOf<Promise<boolean>>()
      expectTypeOf(socket.emitWithAck("both")).toEqualTypeOf<Promise<string>>()
      expectTypeOf(socket.emitWithAck("only")).toEqualTypeOf<Promise<undefined>>()
      // @ts-expect-error has no acknowledgement
      void socket.emitWithAck("basic", 1)
      socket.to("room").emit("basic", 1, "2")
      socket.broadcast.emit("noArgs")
    })
    io.emit("basic", 1, "2")
    // @ts-expect-error many clients cannot answer without a timeout
    io.emit("ask", "?", () => {})
  })
})

test("many clients give many answers", () => {
  compiled(() => {
    const io: Typed = new Server()
    for (const of of [io.timeout(1), io.to("room").timeout(1), io.of("/x").except("room").timeout(1)]) {
      of.emit("ask", "?", (error, answers) => {
        expectTypeOf(error).toEqualTypeOf<Error>()
        expectTypeOf(answers).toEqualTypeOf<Array<boolean>>()
      })
      expectTypeOf(of.emitWithAck("ask", "?")).toEqualTypeOf<Promise<Array<boolean>>>()
    }
    io.to("room").emit("ask", "?", (answers) => expectTypeOf(answers).toEqualTypeOf<Array<boolean>>())
    io.on("connection", (socket) => {
      socket.broadcast.timeout(1).emit("ask", "?", (_error, answers) => {
        expectTypeOf(answers).toEqualTypeOf<Array<boolean>>()
      })
    })
  })
})

test("other servers", () => {
  compiled(() => {
    const io: Typed = new Server()
    io.serverSideEmit("ping", 1)
    io.serverSideEmit("count", "all", (error, counts) => {
      expectTypeOf(error).toEqualTypeOf<Error>()
      expectTypeOf(counts).toEqualTypeOf<Array<number>>()
    })
    expectTypeOf(io.serverSideEmitWithAck("count", "all")).toEqualTypeOf<Promise<Array<number>>>()
    io.on("ping", (n) => expectTypeOf(n).toEqualTypeOf<number>())
    io.on("count", (_scope, callback) => callback(1))
    // @ts-expect-error no such event
    io.serverSideEmit("pong")
  })
})

test("remote sockets", () => {
  compiled(async () => {
    const io: Typed = new Server()
    const sockets = await io.fetchSockets()
    expectTypeOf(sockets).toEqualTypeOf<Array<RemoteSocket<ServerToClientEvents, SocketData>>>()
    for (const socket of sockets) {
      expectTypeOf(socket.data).toEqualTypeOf<SocketData>()
      expectTypeOf(socket.rooms).toEqualTypeOf<Set<string>>()
      socket.emit("basic", 1, "2")
      socket.timeout(1).emit("ask", "?", (error, yes) => {
        expectTypeOf(error).toEqualTypeOf<Error>()
        expectTypeOf(yes).toEqualTypeOf<boolean>()
      })
    }
  })
})

test("helper types", () => {
  expectTypeOf<EventNamesWithAck<ServerToClientEvents>>().toEqualTypeOf<"ask" | "both" | "only">()
  expectTypeOf<EventNamesWithoutAck<ServerToClientEvents>>().toEqualTypeOf<"noArgs" | "basic" | "message">()
  expectTypeOf<EventNamesWithError<{ a: (f: (error: Error, n: number) => void) => void }>>().toEqualTypeOf<"a">()
  expectTypeOf<FirstNonErrorArg<(error: Error, n: number) => void>>().toEqualTypeOf<number>()
  expectTypeOf<FirstNonErrorArg<(n: number) => void>>().toEqualTypeOf<number>()
})

test("adapters", () => {
  compiled(() => {
    class Custom extends Adapter {
      override addAll(id: string, rooms: Set<string>): void {
        void super.addAll(id, rooms)
      }
    }
    const servers = [new Server({ adapter: Custom }), new Server({ adapter: (nsp) => new Custom(nsp) })]
    expectTypeOf(servers).toEqualTypeOf<Array<Server>>()
    expectTypeOf(new Server().to("x")).toExtend<BroadcastOperator<DefaultEventsMap, unknown>>()
  })
})
