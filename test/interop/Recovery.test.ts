/**
 * The official client comes back to our server: each symptom that its users know (T1, T2, T4, T7, T9), by each transport and parser.
 */
import { assert, describe, it } from "@effect/vitest"
import { Event, Namespace } from "effect-socketio/contract"
import { msgpack } from "effect-socketio/parser"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { io, type Socket as ClientSocket } from "socket.io-client"
import * as msgpackParser from "socket.io-msgpack-parser"
import * as InMemoryAdapter from "../../src/adapter/InMemoryAdapter.ts"
import * as NodeEngine from "../../src/node/NodeEngine.ts"
import * as Middleware from "../../src/socket/Middleware.ts"
import type { Socket } from "../../src/socket/Socket.ts"
import * as SocketServer from "../../src/socket/SocketServer.ts"

const Line = Namespace.make("/line", {
  auth: Schema.Record(Schema.String, Schema.Unknown),
  fromServer: {
    tick: Event.make({ args: [Schema.Unknown] }),
    bare: Event.make({ args: [] }),
    ask: Event.make({ args: [], ack: Schema.Int }),
    end: Event.make({ args: [] })
  }
})
type Line = typeof Line

interface World {
  readonly url: string
  readonly sockets: Array<Socket<Line>>
  readonly line: Effect.Success<ReturnType<typeof handle>>
  revoked: boolean
}

const handle = () => SocketServer.handle(Line)

/** Waits for what another side does. */
const until = (what: string, condition: () => boolean): Effect.Effect<void> =>
  Effect.promise(async () => {
    const deadline = Date.now() + 10_000
    while (!condition()) {
      if (Date.now() > deadline) throw new Error(`waited for ${what}`)
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  })

const world = (options: SocketServer.Options) =>
  Effect.gen(function* () {
    const http = createServer()
    yield* Effect.acquireRelease(
      Effect.callback<void>((resume) => void http.listen(0, "127.0.0.1", () => resume(Effect.void))),
      () => Effect.sync(() => (http.close(), http.closeAllConnections()))
    )
    const sockets: Array<Socket<Line>> = []
    const made = { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/line`, sockets, revoked: false }
    const Live = SocketServer.namespace(Line, (socket) => Effect.sync(() => sockets.push(socket))).pipe(
      Layer.provide(Middleware.make(() => (made.revoked ? Effect.fail(new Error("revoked")) : Effect.void)))
    )
    const services = yield* Layer.build(
      SocketServer.serve(Live, { connectionStateRecovery: {}, ...options }).pipe(
        Layer.provide(InMemoryAdapter.layer),
        Layer.provide(NodeEngine.layerAttach(http))
      )
    )
    return Object.assign(made, { line: yield* Effect.provide(handle(), services) }) satisfies World
  })

/** An official client and what it hears. */
const connect = (url: string, options: object) =>
  Effect.gen(function* () {
    const seen: Array<unknown> = []
    const client: ClientSocket = yield* Effect.acquireRelease(
      Effect.sync(() => io(url, { forceNew: true, reconnection: false, ...options })),
      (client) => Effect.sync(() => client.disconnect())
    )
    client.onAny((event: string, first: unknown) => {
      if (event === "tick") seen.push(first)
      else if (event !== "end") seen.push(event)
    })
    let ends = 0
    client.on("end", () => ends++)
    client.on("ask", (answer: (value: number) => void) => answer(1))
    let connects = 0
    client.on("connect", () => connects++)
    yield* until("the connection", () => connects > 0)
    return {
      client,
      seen,
      /** Waits until everything has arrived that was sent. */
      caughtUp: (socket: Socket<Line>) =>
        Effect.suspend(() => {
          const before = ends
          return Effect.andThen(
            socket.emit("end"),
            until("the end", () => ends > before)
          )
        })
    }
  })

const cut = (client: ClientSocket, socket: Socket<Line>): Effect.Effect<void> =>
  Effect.andThen(
    Effect.sync(() => client.io.engine.close()),
    until("the loss", () => !socket.connected)
  )

const comeBack = ({ sockets }: World, client: ClientSocket): Effect.Effect<Socket<Line>> =>
  Effect.suspend(() => {
    const before = sockets.length
    client.connect()
    return Effect.map(
      until("the way back", () => client.connected && sockets.length > before),
      () => sockets.at(-1)!
    )
  })

const transports = {
  polling: { transports: ["polling"] },
  websocket: { transports: ["websocket"] },
  upgrade: { transports: ["polling", "websocket"] }
} as const

for (const [way, options] of Object.entries(transports)) {
  for (const parser of ["json", "msgpack"] as const) {
    const server: SocketServer.Options = parser === "json" ? {} : { parser: msgpack }
    const ours = parser === "json" ? options : { ...options, parser: msgpackParser }

    describe(`the official client by ${way}, with ${parser}`, () => {
      it.live(
        "is recovered without having seen an event, and gets everything in the order of the program (T2, T4)",
        () =>
          Effect.gen(function* () {
            const here = yield* world(server)
            const { client, seen, caughtUp } = yield* connect(here.url, ours)
            yield* cut(client, here.sockets[0]!)
            yield* here.line.emit("tick", new Uint8Array([1]))
            yield* here.line.emit("tick", "missed")
            const socket = yield* comeBack(here, client)
            assert.deepStrictEqual(socket.recovery, { _tag: "Recovered", missed: 2 })
            assert.isTrue(client.recovered)
            yield* here.line.emit("tick", 1)
            yield* socket.emit("tick", 2)
            assert.strictEqual(yield* socket.emitWithAck("ask"), 1)
            yield* here.line.local.emit("tick", 4)
            yield* caughtUp(socket)
            assert.deepStrictEqual([...(seen.shift() as Uint8Array)], [1])
            assert.deepStrictEqual(seen, ["missed", 1, 2, "ask", 4])
          })
      )

      it.live("takes no text of the program for an offset (T1)", () =>
        Effect.gen(function* () {
          const here = yield* world(server)
          const { client, seen, caughtUp } = yield* connect(here.url, ours)
          const [socket] = here.sockets
          yield* socket!.emit("tick", 1)
          yield* caughtUp(socket!)
          // Dropped while the transport is busy.
          const heard = (): boolean => seen.includes("a text") && seen.includes("bare")
          const say = Effect.andThen(socket!.volatile.emit("tick", "a text"), here.line.volatile.emit("bare"))
          yield* until("the text", () => (heard() ? true : (Effect.runSync(say), false)))
          yield* cut(client, socket!)
          yield* here.line.emit("tick", 2)
          const back = yield* comeBack(here, client)
          assert.isTrue(back.recovered)
          yield* caughtUp(back)
          assert.deepStrictEqual(
            seen.filter((event) => typeof event === "number"),
            [1, 2]
          )
        })
      )
    })
  }
}

describe("the official client", () => {
  it.live("that middleware refuses gets nothing of what it missed, and all of it when it may come in again (T7)", () =>
    Effect.gen(function* () {
      const here = yield* world({})
      const { client, seen, caughtUp } = yield* connect(here.url, transports.websocket)
      yield* cut(client, here.sockets[0]!)
      yield* here.line.emit("tick", "secret")
      here.revoked = true
      let refusal = ""
      client.once("connect_error", ({ message }) => (refusal = message))
      client.connect()
      yield* until("the refusal", () => refusal === "revoked")
      assert.deepStrictEqual(seen, [])
      here.revoked = false
      const back = yield* comeBack(here, client)
      assert.isTrue(back.recovered)
      yield* caughtUp(back)
      assert.deepStrictEqual(seen, ["secret"])
    })
  )

  it.live("of which there are two with the same session: one has it, not both (T9)", () =>
    Effect.gen(function* () {
      const here = yield* world({})
      const { client, caughtUp } = yield* connect(here.url, transports.websocket)
      yield* here.line.emit("tick", 1)
      yield* caughtUp(here.sockets[0]!)
      const { _pid: pid, _lastOffset: offset } = client as unknown as { _pid: string; _lastOffset: string }
      yield* cut(client, here.sockets[0]!)
      const twins = [1, 2].map(() => connect(here.url, { ...transports.websocket, auth: { pid, offset } }))
      yield* Effect.all(twins, { concurrency: 2 })
      const connected = here.sockets.filter((socket) => socket.connected)
      assert.strictEqual(new Set(connected.map(({ id }) => id)).size, connected.length)
      assert.strictEqual(connected.filter(({ recovered }) => recovered).length, 1)
    })
  )
})
