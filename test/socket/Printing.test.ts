/** Sockets print short: a failing assertion must not drag a whole server along. */
import { assert, it } from "@effect/vitest"
import * as SocketClient from "effect-socketio/client"
import { SocketServer, Namespace } from "effect-socketio"
import { Testing } from "effect-socketio/testing"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { inspect } from "node:util"

const Plain = Namespace.untyped("/")

it.effect("sockets of both ends print their name and state, and nothing behind them", () =>
  Effect.gen(function* () {
    const seen = yield* Deferred.make<string>()
    const live = SocketServer.namespace(Plain, (socket) =>
      Effect.asVoid(Deferred.succeed(seen, inspect(socket, { depth: 9 }) + JSON.stringify(socket)))
    )
    yield* Effect.gen(function* () {
      const socket = yield* SocketClient.connect(Plain, { url: Testing.url, transports: ["websocket"] })
      const printed = inspect(socket, { depth: 9 }) + JSON.stringify(socket)
      assert.include(printed, "SocketClient/Socket")
      assert.isBelow(printed.length, 300)
      const server = yield* Deferred.await(seen)
      assert.include(server, "SocketServer/Socket")
      assert.isBelow(server.length, 300)
    }).pipe(Effect.scoped, Effect.provide(Testing.layer(live)))
  })
)
