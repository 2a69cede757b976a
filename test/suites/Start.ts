/** A server of the lab with one client, "ada", which is where most cases begin. */
import * as Effect from "effect/Effect"
import type { Scope } from "effect/Scope"
import * as SocketServer from "../../src/socket/SocketServer.ts"
import * as Await from "./Await.ts"
import type { Harness, Running } from "./Harness.ts"
import * as LabClient from "./LabClient.ts"
import * as LabServer from "./LabServer.ts"

/** Starts the server alone. */
export const serve = (
  harness: Harness,
  log: LabServer.LabLog,
  options: SocketServer.Options = {}
): Effect.Effect<Running, unknown, Scope> =>
  harness.serve(
    SocketServer.serve(LabServer.layer(log), {
      pingInterval: harness.times.pingInterval,
      pingTimeout: harness.times.pingTimeout,
      ...options
    })
  )

/** Connects another client, and waits until it is connected and, where it goes that way, upgraded. */
export const join = (
  harness: Harness,
  log: LabServer.LabLog,
  user: string,
  options: LabClient.LabClientOptions = {}
): Effect.Effect<LabClient.LabClient, unknown, Scope> =>
  Effect.gen(function* () {
    const before = log.sockets.length
    const client = yield* LabClient.connect(harness, user, options)
    yield* Await.until(harness, () => client.socket.connected && client.welcomes.length > 0)
    const { conn } = log.sockets[before]!
    const transport = harness.way === "polling" ? "polling" : "websocket"
    yield* Await.until(harness, () => conn.transport === transport)
    return client
  })

/** Starts the server and connects "ada". */
export const start = (
  harness: Harness,
  options: { readonly server?: SocketServer.Options; readonly client?: LabClient.LabClientOptions } = {}
): Effect.Effect<
  { readonly ada: LabClient.LabClient; readonly log: LabServer.LabLog; readonly running: Running },
  unknown,
  Scope
> =>
  Effect.gen(function* () {
    const log = LabServer.emptyLog()
    const running = yield* serve(harness, log, options.server)
    const ada = yield* join(harness, log, "ada", options.client)
    return { ada, log, running }
  })
