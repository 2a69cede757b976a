/** The client's side of the lab: a connection whose events and states are recorded for the suites to look at. */
import * as Effect from "effect/Effect"
import type { Scope } from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SocketClient from "../../src/client/index.ts"
import type { Event } from "../../src/contract/index.ts"
import { type Harness, transportsOf } from "./Harness.ts"
import { Lab } from "./Lab.ts"

type FromServer = typeof Lab.fromServer

/** A client of the lab. */
export interface LabClient {
  readonly socket: SocketClient.Socket<typeof Lab>
  readonly welcomes: Array<string>
  readonly said: Array<string>
  readonly counts: Array<number>
  readonly ticks: Array<number>
  readonly pieces: Array<Event.Args<FromServer["pieces"]>>
  readonly states: Array<SocketClient.ConnectionState>
}

/** How a client of the lab may differ. */
export interface LabClientOptions {
  /** What it answers to questions. Default: "yes". `undefined`: nothing, ever. */
  readonly answer?: string | undefined
}

/** Connects as this user and records. */
export const connect = (
  harness: Harness,
  user: string,
  options: LabClientOptions = {}
): Effect.Effect<LabClient, SocketClient.ConnectError<typeof Lab>, Scope> =>
  Effect.gen(function* () {
    const answer = "answer" in options ? options.answer : "yes"
    const socket = yield* SocketClient.connect(Lab, {
      url: harness.url,
      auth: { user },
      ...transportsOf(harness.way),
      wait: false
    }).pipe(
      Effect.provideService(
        SocketClient.Reconnection,
        SocketClient.backoff({ reconnectionDelay: harness.times.reconnectionDelay })
      )
    )
    const client: LabClient = { socket, welcomes: [], said: [], counts: [], ticks: [], pieces: [], states: [] }
    yield* socket.on("welcome", (name) => Effect.sync(() => void client.welcomes.push(name)))
    yield* socket.on("said", (from, text) => Effect.sync(() => void client.said.push(`${from}: ${text}`)))
    yield* socket.on("count", (count) => Effect.sync(() => void client.counts.push(count)))
    yield* socket.on("tick", (count) => Effect.sync(() => void client.ticks.push(count)))
    yield* socket.on("pieces", (...args) => Effect.sync(() => void client.pieces.push(args)))
    yield* socket.on("question", (question) =>
      answer === undefined ? Effect.never : Effect.succeed(`${answer} to ${question}`)
    )
    yield* SocketClient.states(socket).pipe(
      Stream.runForEach((state) => Effect.sync(() => void client.states.push(state))),
      Effect.forkScoped({ startImmediately: true })
    )
    return client
  })
