/**
 * A server whose every part fails in every way, and clients that send whatever they like. Prints what reached the process itself,
 * which must be nothing, and whether the server still serves.
 */
import { InMemoryAdapter, ErrorSink, Event, Middleware, Namespace, SocketServer } from "effect-socketio"
import * as SocketClient from "effect-socketio/client"
import { NodeEngine } from "effect-socketio/node"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as References from "effect/References"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Http from "node:http"
import type { AddressInfo } from "node:net"
import * as Net from "node:net"
import { WebSocket } from "ws"
import * as SocketCodec from "../../../src/protocol/SocketCodec.ts"

const uncaught: Array<string> = []
process.on("uncaughtException", (error) => uncaught.push(`uncaughtException: ${error.stack ?? String(error)}`))
process.on("unhandledRejection", (error) => uncaught.push(`unhandledRejection: ${String(error)}`))

class Declared extends Schema.TaggedError<Declared>()("Declared", {}) {}

/** An error that cannot even be looked at. */
class Unspeakable extends Data.TaggedError("Unspeakable")<{}> {
  override get message(): string {
    throw new Error("no message")
  }
  get data(): unknown {
    throw new Error("no data")
  }
}

const boom = (): never => {
  throw new Error("boom")
}

const cyclic: { self?: unknown } = {}
cyclic.self = cyclic

const ways: Readonly<Record<string, () => Effect.Effect<unknown, never>>> = {
  throws: boom,
  dies: () => Effect.die(new Error("boom")),
  "dies later": () => Effect.andThen(Effect.sleep(1), Effect.die("boom")),
  rejects: () => Effect.promise(() => Promise.reject(new Error("boom"))),
  "rejects later": () => Effect.promise(() => new Promise((_, reject) => setTimeout(reject, 1))),
  "interrupts itself": () => Effect.interrupt,
  "interrupts itself later": () => Effect.andThen(Effect.sleep(1), Effect.interrupt),
  "throws in a callback": () => Effect.callback<never>(boom),
  "fails as declared, but with a lie": () => Effect.fail(new Unspeakable()) as never,
  "is no effect": () => 7 as never,
  "is undefined": () => undefined as never,
  "gives a cycle": () => Effect.succeed(cyclic),
  "gives a BigInt": () => Effect.succeed(1n),
  "has a failing finalizer": () => Effect.ensuring(Effect.void, Effect.die("finalizer"))
}

const names = Object.keys(ways)

const Typed = Namespace.make("/typed", {
  fromClient: {
    fail: Event.make({ args: [Schema.String], ack: Schema.Unknown, error: Declared }),
    plain: Event.make({ args: [Schema.String], ack: Schema.Unknown })
  },
  fromServer: { question: Event.make({ args: [], ack: Schema.String }) }
})
const Untyped = Namespace.untyped("/")
const Dynamic = Namespace.untyped((name) => (name === "/predicate-throws" ? boom() : name.startsWith("/dyn-")))
const Params = Namespace.make("/param/:n", { params: { n: Schema.FiniteFromString } })
const Guarded = Namespace.untyped(/^\/guarded-/)

const fail = (how: unknown): Effect.Effect<unknown> => (ways[String(how)] ?? (() => Effect.void))()

const Live = Layer.mergeAll(
  SocketServer.namespace(Typed, (socket) =>
    Effect.gen(function* () {
      yield* socket.on("fail", (how) => fail(how))
      yield* socket.on("plain", (how) => fail(how))
      yield* Effect.addFinalizer(() => Effect.die("a finalizer of the socket"))
      yield* Effect.forkScoped(Effect.die("a fiber of the socket"))
      yield* socket.onDisconnecting(boom)
      yield* socket.onDisconnecting(() => Effect.die("disconnecting"))
      yield* socket.onDisconnect(() => Effect.fail("disconnect"))
      yield* socket.onDisconnect(() => Effect.andThen(Effect.sleep(1), Effect.interrupt))
      yield* Effect.forkScoped(Effect.ignore(socket.emitWithAck("question")))
    })
  ),
  SocketServer.namespace(Untyped, (socket) =>
    Effect.gen(function* () {
      yield* socket.use((packet, next) => (packet.event === "gate" ? fail(packet.args[0]) : next(packet)))
      yield* socket.on("fail", fail)
      yield* socket.events("stream").pipe(Stream.runForEach(boom), Effect.forkScoped)
      yield* socket.on("echo", (...args) => Effect.succeed(args))
      yield* socket.on("emit", () => socket.emit("cycle", cyclic))
      yield* socket.on("ask", () => Effect.ignore(socket.emitWithAck("cycle", cyclic)))
    })
  ),
  SocketServer.namespace(Dynamic, (socket) => fail(names[Number(socket.name.slice(5)) % names.length])),
  SocketServer.namespace(Params, () => Effect.void),
  SocketServer.namespace(Guarded, () => Effect.void).pipe(
    Layer.provide(
      Middleware.make(({ auth }): Effect.Effect<unknown, unknown> => {
        const how = (auth as { readonly how?: unknown }).how
        if (how === "unspeakable") return Effect.fail(new Unspeakable())
        if (how === "cyclic") return Effect.fail({ message: "no", data: cyclic })
        return fail(how)
      })
    )
  )
).pipe(Layer.provide(Layer.succeed(ErrorSink.ErrorSink, boom))) as Layer.Layer<never, never, SocketServer.SocketServer>

interface Served {
  readonly port: number
  readonly counted: () => Promise<SocketServer.Snapshot>
  stop(): Promise<void>
}

const serve = async (options: SocketServer.Options): Promise<Served> => {
  const http = Http.createServer((_request, response) => response.writeHead(404).end())
  const scope = Scope.makeUnsafe()
  const layer = SocketServer.serve(Live, options).pipe(
    Layer.provide(InMemoryAdapter.layer),
    Layer.provide(NodeEngine.layerAttach(http))
  )
  const built = await Effect.runPromise(
    Effect.provideService(Layer.buildWithScope(layer, scope), References.MinimumLogLevel, "None")
  )
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve))
  return {
    port: (http.address() as AddressInfo).port,
    counted: () => Effect.runPromise(Effect.provideContext(SocketServer.telemetry, built)),
    async stop() {
      await Effect.runPromise(Scope.close(scope, Exit.void))
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
    }
  }
}

const pause = (millis: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, millis))

/** Sends frames over a WebSocket until the server has had enough. */
const webSocket = (port: number, frames: ReadonlyArray<string | Uint8Array>, query = ""): Promise<void> =>
  new Promise((resolve) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket${query}`)
    socket.on("error", () => {})
    socket.on("close", () => resolve())
    socket.on("open", () => {
      for (const frame of frames) socket.send(frame)
      setTimeout(() => socket.terminate(), 30)
    })
  })

const post = (port: number, path: string, body: string, method = "POST"): Promise<string> =>
  new Promise((resolve) => {
    const request = Http.request({ port, host: "127.0.0.1", path, method }, (response) => {
      let text = ""
      response.on("data", (chunk) => (text += String(chunk)))
      response.on("close", () => resolve(text))
      response.on("error", () => resolve(text))
    })
    request.on("error", () => resolve(""))
    request.end(method === "GET" ? undefined : body)
  })

/** Bytes on a TCP connection, cut after a moment. */
const raw = (port: number, text: string): Promise<void> =>
  new Promise((resolve) => {
    const socket = Net.connect(port, "127.0.0.1", () => socket.write(text))
    socket.on("error", () => {})
    socket.on("close", () => resolve())
    setTimeout(() => socket.resetAndDestroy(), 20)
  })

const proto = ["__proto__", "constructor", "toString", "hasOwnProperty", "prototype"]
const reserved = ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"]
const deep = (depth: number): string => "[".repeat(depth) + "]".repeat(depth)

const frames: ReadonlyArray<ReadonlyArray<string | Uint8Array>> = [
  ...names.map((how) => [
    "40/typed,",
    `42/typed,1["fail",${JSON.stringify(how)}]`,
    `42/typed,2["plain",${JSON.stringify(how)}]`
  ]),
  ...names.map((how) => ["40", `421["fail",${JSON.stringify(how)}]`, `422["gate",${JSON.stringify(how)}]`]),
  ...names.map((how) => ["40", `421["fail",${JSON.stringify(how)}]`, "41"]),
  ...names.map((how) => [`40/guarded-${encodeURIComponent(how)},${JSON.stringify({ how })}`]),
  ...["unspeakable", "cyclic"].map((how) => [`40/guarded-x,${JSON.stringify({ how })}`]),
  ...names.map((_, i) => [`40/dyn-${i},`, `42/dyn-${i},1["x"]`]),
  ["40", '42["stream"]', '42["stream"]', '42["emit"]', '421["ask"]', '42["echo"]'],
  ["40", `421["echo",${deep(20_000)}]`, `421["echo",${deep(900)}]`],
  ["40/predicate-throws,", "40/param/x,", "40/param/1e400,", "40/param/__proto__,", "40/param/1,"],
  ...[...proto, ...reserved].map((name) => [
    `40/${name},{"__proto__":{"polluted":1},"${name}":{}}`,
    "40",
    `421["${name}",{"__proto__":{"polluted":1}}]`,
    `40/typed,`,
    `42/typed,1["${name}"]`,
    `42/dyn-1,1["${name}"]`
  ]),
  ...[
    "4",
    "40[",
    "42",
    "42[",
    '42["a"',
    "42[]",
    "42{}",
    "42[{}]",
    '4299999999999999999999["a"]',
    '42/,["a"]',
    "43",
    "431",
    "43[1]",
    "44",
    '44{"message":1}',
    "45",
    '45-["a"]',
    '450-["a"]',
    '451["a"]',
    '4599-["a"]',
    '451-["a",{"_placeholder":true,"num":0}]',
    '451-["a",{"_placeholder":true,"num":-1}]',
    "47",
    "5",
    "6",
    "0",
    "1",
    "2",
    "2probe",
    "3",
    "9",
    "",
    "b",
    "b!",
    "bAAAA"
  ].map((frame) => ["40", frame, new Uint8Array([1, 2, 3]), '421["echo"]']),
  ["40", '451-["a",{"_placeholder":true,"num":0}]', '421["echo"]'],
  ["40", '461-1[{"_placeholder":true,"num":0}]', new Uint8Array(1)],
  ["40", "\u0000", "\ud800", "4\ud800", '42["\ud800"]'],
  ["x".repeat(1_100_000)],
  [new Uint8Array(1_100_000)]
]

const paths = [
  "/socket.io/",
  "/socket.io/?EIO=4",
  "/socket.io/?EIO=4&transport=polling&sid=__proto__",
  "/socket.io/?EIO=4&transport=__proto__",
  "/socket.io/?EIO=4&transport=constructor&sid=x",
  "/socket.io/?EIO=4&transport=polling&__proto__=1&constructor=2",
  "/socket.io/?EIO=%ff&transport=%",
  "/socket.io/?%",
  "/socket.io/?EIO=3&transport=polling",
  `/socket.io/?EIO=4&transport=polling&x=${"y".repeat(5000)}`
]

const attack = async (port: number): Promise<void> => {
  for (let i = 0; i < frames.length; i += 20) {
    await Promise.all(frames.slice(i, i + 20).map((sent) => webSocket(port, sent)))
  }
  for (const path of paths) {
    for (const method of ["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD"]) {
      await Promise.race([post(port, path, "4\x1e", method), pause(50)])
    }
    await webSocket(port, [], path.slice("/socket.io/?EIO=4&transport=websocket".length))
  }
  for (const body of [
    "",
    "\x1e",
    "40\x1e42[",
    "b!",
    "x".repeat(1_100_000),
    "40\x1e41\x1e40\x1e41",
    "1",
    "6\x1e2\x1e3"
  ]) {
    const open = await post(port, "/socket.io/?EIO=4&transport=polling", "", "GET")
    const sid = /"sid":"([^"]+)"/.exec(open)?.[1] ?? ""
    const path = `/socket.io/?EIO=4&transport=polling&sid=${sid}`
    await Promise.race([
      Promise.all([
        post(port, path, body),
        post(port, path, body),
        post(port, path, "", "GET"),
        post(port, path, "", "GET")
      ]),
      pause(100)
    ])
  }
  const upgrade = "Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
  for (const text of [
    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n" + upgrade + "\r\n",
    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n" +
      upgrade +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: bad\r\n\r\n",
    "POST /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n" + upgrade + "\r\n",
    "GET /elsewhere HTTP/1.1\r\n" + upgrade + "\r\n",
    "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\nOrigin: \x7f\r\n__proto__: x\r\nconstructor: y\r\n\r\n",
    "POST /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc",
    "\x00\x01\x02"
  ]) {
    await raw(port, text)
  }
}

/** A client that is treated well after all that. */
const isServed = (port: number): Promise<unknown> =>
  Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const client = yield* SocketClient.connect("/", { url: `http://127.0.0.1:${port}`, reconnection: false })
        return yield* client.emitWithAck("echo", "still there")
      })
    )
  )

const hostileCodec: SocketCodec.SocketCodec = {
  name: "hostile",
  encode: (packet, options) => (packet.type === 3 ? boom() : SocketCodec.json.encode(packet, options)),
  makeDecoder: () => {
    const decoder = SocketCodec.json.makeDecoder()
    return {
      add: (data) => (typeof data === "string" && data.includes("boom") ? boom() : decoder.add(data)),
      destroy: boom
    }
  }
}

let calls = 0
const strange: ReadonlyArray<unknown> = [
  undefined,
  null,
  0,
  "",
  {},
  { _tag: "x" },
  Symbol("id"),
  Effect.succeed(null),
  Effect.die("x"),
  Effect.interrupt,
  Promise.reject(new Error("x")),
  Promise.resolve(null),
  Effect.succeed({}),
  7n
]
for (const value of strange) if (value instanceof Promise) value.catch(() => {})

const main = async (): Promise<void> => {
  const plain = await serve({ onInvalidPayload: "report", connectTimeout: "200 millis" })
  await attack(plain.port)
  const served = await isServed(plain.port)
  await pause(300)
  const { clients, eventsReceived, handlerFailures, invalidPayloads, protocolErrors, refused, sockets, engine } =
    await plain.counted()
  const counted = { clients, sockets, eventsReceived, handlerFailures, invalidPayloads, protocolErrors, refused }

  // Options of the program that throw, or give what no type allows.
  const odd = await serve({
    parser: hostileCodec,
    generateId: () => (calls++ % 3 === 0 ? boom() : (strange[calls % strange.length] as never)),
    onConnectionError: boom,
    onInitialHeaders: boom,
    onHeaders: boom
  })
  for (let i = 0; i < 60; i++) await webSocket(odd.port, ["40", '42["boom"]', '421["echo"]'])
  const deciding = await serve({
    allowRequest: () => (calls++ % 2 === 0 ? boom() : (strange[calls % strange.length] as never))
  })
  for (let i = 0; i < 60; i++)
    await Promise.all([
      webSocket(deciding.port, ["40"]),
      Promise.race([post(deciding.port, paths[0]! + "?EIO=4&transport=polling", "", "GET"), pause(30)])
    ])
  const parsing = await serve({ parser: hostileCodec })
  await webSocket(parsing.port, ["40", '42["boom"]'])
  await webSocket(parsing.port, ["40", '421["echo"]', "41"])

  await Promise.all([plain.stop(), odd.stop(), deciding.stop(), parsing.stop()])
  await pause(50)
  const polluted = Reflect.get({}, "polluted") !== undefined
  console.log(JSON.stringify({ uncaught, served, polluted, counted, codes: engine.refused, tooLarge: engine.tooLarge }))
  process.exit(0)
}

void main()
