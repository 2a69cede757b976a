/**
 * Nothing that a client sends, and nothing that a handler, hook, middleware, finalizer or option of the program does, reaches the process
 * itself; and the server serves on.
 */
import { assert, describe, it } from "@effect/vitest"
import { Namespace, type Socket, SocketServer } from "effect-socketio"
import * as SocketClient from "effect-socketio/client"
import { json, type SocketCodec } from "effect-socketio/parser"
import { MemoryNetwork, Testing } from "effect-socketio/testing"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { run } from "./programs/Child.ts"

interface Result {
  readonly uncaught: ReadonlyArray<string>
  readonly served: unknown
  readonly polluted: boolean
  readonly counted: Readonly<Record<string, number>>
  readonly codes: ReadonlyArray<number>
  readonly tooLarge: number
}

describe("a server whose every part fails, and clients that send whatever they like", () => {
  it("nothing becomes an uncaught exception or an unhandled rejection, and the next client is served", async () => {
    const { code, output, result } = await run("hostile.ts")
    assert.strictEqual(code, 0, output)
    const { codes, counted, polluted, served, tooLarge, uncaught } = result as Result
    assert.deepStrictEqual(uncaught, [])
    assert.deepStrictEqual(served, ["still there"])
    assert.isFalse(polluted)
    // The attack did arrive: every kind of it was counted.
    assert.strictEqual(counted["sockets"], 0)
    assert.isAbove(counted["handlerFailures"]!, 100)
    assert.isAbove(counted["protocolErrors"]!, 30)
    assert.isAbove(counted["invalidPayloads"]!, 0)
    assert.isAbove(counted["refused"]!, 15)
    assert.isAbove(tooLarge, 2)
    for (const refusal of [0, 1, 2, 5]) assert.isAbove(codes[refusal]!, 0, `code ${refusal}`)
  })
})

const Main = Namespace.untyped("/")

const hostile: SocketCodec = {
  name: "hostile",
  encode: (packet, options) => json.encode(packet, options),
  makeDecoder: () => {
    const decoder = json.makeDecoder()
    return {
      add: (data) => {
        if (String(data).includes("boom")) throw new Error("the parser is broken")
        return decoder.add(data)
      },
      destroy() {
        throw new Error("so is its end")
      }
    }
  }
}

describe("a client whose every part fails", () => {
  it.effect("its parser throws: the connection ends with a parse error, and it connects again", () => {
    const sockets: Array<Socket<typeof Main>> = []
    const live = SocketServer.namespace(Main, (socket) => Effect.sync(() => sockets.push(socket)))
    return Effect.gen(function* () {
      const connecting = yield* Effect.forkScoped(SocketClient.connect("/", { url: Testing.url, parser: hostile }), {
        startImmediately: true
      })
      yield* MemoryNetwork.adjust("1 second")
      const client = yield* Fiber.join(connecting)
      const states: Array<string> = []
      yield* SocketClient.states(client).pipe(
        Stream.runForEach((state) =>
          Effect.sync(() => states.push(state._tag === "Disconnected" ? state.reason : state._tag))
        ),
        Effect.forkScoped({ startImmediately: true })
      )
      yield* sockets[0]!.emit("boom")
      yield* MemoryNetwork.adjust("10 seconds")
      assert.deepStrictEqual(states, ["Connected", "parse error", "Waiting", "Connecting", "Connected"])
    }).pipe(Effect.scoped, Effect.provide(Testing.layer(live), { local: true }))
  })

  it.effect(
    "handlers, auth, reconnection policy and error sink throw: nothing gets out, and it is used as before",
    () => {
      const boom = (): never => {
        throw new Error("boom")
      }
      const sockets: Array<Socket<typeof Main>> = []
      const live = SocketServer.namespace(Main, (socket) => Effect.sync(() => sockets.push(socket)))
      return Effect.gen(function* () {
        const refused = yield* Effect.forkScoped(
          Effect.exit(
            SocketClient.connect("/", { url: Testing.url, auth: (): Effect.Effect<{}> => boom(), forceNew: true })
          ),
          { startImmediately: true }
        )
        const connecting = yield* Effect.forkScoped(SocketClient.connect("/", { url: Testing.url, forceNew: true }), {
          startImmediately: true
        })
        yield* MemoryNetwork.adjust("1 second")
        assert.isTrue(Exit.isFailure(yield* Fiber.join(refused)))
        const client = yield* Fiber.join(connecting)
        const handled: Array<unknown> = []
        yield* client.on("bad", (): Effect.Effect<void> => boom())
        yield* client.on("bad", () => Effect.die("x"))
        yield* client.on("bad", () => Effect.interrupt)
        yield* client.on("bad", () => Effect.promise(() => Promise.reject(new Error("x"))))
        yield* client.on("good", (value) => Effect.sync(() => handled.push(value)))
        yield* SocketClient.events(client, "bad").pipe(
          Stream.runForEach((): Effect.Effect<void> => boom()),
          Effect.forkScoped
        )
        for (let i = 0; i < 3; i++) yield* sockets[0]!.emit("bad", i)
        yield* sockets[0]!.emit("good", 1)
        yield* MemoryNetwork.adjust("1 second")
        assert.deepStrictEqual(handled, [1])
        // The policy throws when it is asked for the next delay: the client gives up instead of crashing.
        const network = yield* MemoryNetwork.MemoryNetwork
        yield* network.reset()
        yield* MemoryNetwork.adjust("10 seconds")
        assert.strictEqual(client.state._tag, "GaveUp")
      }).pipe(
        Effect.provideService(SocketClient.ErrorSink, boom),
        Effect.provideService(SocketClient.Reconnection, { begin: boom }),
        Effect.scoped,
        Effect.provide(Testing.layer(live), { local: true })
      )
    }
  )
})
