/**
 * Fuzzing of the whole server over both transports, in memory: attackers send hostile frames on connections of their own, and a bystander's
 * events must arrive as if nothing happened. Afterwards nothing of the attackers is left.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as SocketClient from "../../src/client/index.ts"
import { Event, Namespace } from "../../src/contract/index.ts"
import * as ErrorSink from "../../src/socket/ErrorSink.ts"
import * as SocketServer from "../../src/socket/SocketServer.ts"
import * as MemoryNetwork from "../../src/testing/MemoryNetwork.ts"
import * as Testing from "../../src/testing/Testing.ts"
import type { ClientPlatform, HttpResult } from "../../src/transport/ClientPlatform.ts"
import { toText } from "../../src/protocol/EnginePacket.ts"
import { random, type Random } from "../protocol/generate.ts"
import * as Grammar from "./Grammar.ts"

/** What a run has seen. */
export interface ServerStats {
  connections: number
  frames: number
  /** Connections that the server closed. */
  closed: number
  /** Handlers that ran for an attacker. */
  handled: number
}

const Secret = Namespace.make("/a", {
  fromClient: { say: Event.make({ args: [Schema.String], ack: Schema.String }) },
  fromServer: { tick: Event.make({ args: [Schema.Finite] }) }
})

const Open = Namespace.untyped("/")

const privateRoom = "private"

const live = (stats: ServerStats) =>
  Layer.mergeAll(
    SocketServer.namespace(Secret, (socket) =>
      Effect.gen(function* () {
        yield* socket.on("say", (text) =>
          Effect.gen(function* () {
            if (text === "let me in") yield* socket.join(privateRoom)
            else stats.handled++
            return text
          })
        )
      })
    ),
    SocketServer.namespace(Open, (socket) =>
      Effect.gen(function* () {
        for (const event of ["echo", "join", "say", "error", "__proto__", "toString"]) {
          yield* socket.on(event, (...args) =>
            Effect.gen(function* () {
              stats.handled++
              if (event === "join") yield* socket.join(String(args[0]))
              if (event === "say") yield* socket.to("public").emit("said", ...args)
              return args[0]
            })
          )
        }
      })
    )
  )

const parameters = "EIO=4&transport="

const unencrypted = { headers: {}, withCredentials: false } as const

/** One connection over WebSocket; what the server answers is not looked at. */
const overWebSocket = (platform: ClientPlatform, random: Random, stats: ServerStats): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    const url = `ws://server/socket.io/?${parameters}websocket`
    const socket = platform.openWebSocket(
      { url, protocols: [], ...unencrypted },
      {
        onOpen: () => {
          if (random.below(4) > 0) socket.send("40")
          if (random.below(2) > 0) socket.send("40/a,")
          for (let n = 1 + random.below(10); n > 0; n--) {
            for (const frame of Grammar.hostile(random, 0.15)) {
              stats.frames++
              socket.send(frame)
            }
          }
          // Half of them go without a word, so that closing meets whatever they left open.
          resume(Effect.sync(() => socket.close()))
        },
        onFrame: () => {},
        onClose: () => {
          stats.closed++
          resume(Effect.void)
        }
      }
    )
  })

const request = (
  platform: ClientPlatform,
  sid: string | undefined,
  body: string | undefined
): Effect.Effect<HttpResult> =>
  Effect.callback<HttpResult>((resume) => {
    const url = `http://server/socket.io/?${parameters}polling${sid === undefined ? "" : `&sid=${encodeURIComponent(sid)}`}`
    const abort = platform.request(
      { method: body === undefined ? "GET" : "POST", url, body, ...unencrypted },
      (result) => resume(Effect.succeed(result))
    )
    return Effect.sync(abort)
  })

const sidOf = (result: HttpResult): string | undefined =>
  result._tag === "Answer" ? /"sid":"([^"]+)"/.exec(result.body)?.[1] : undefined

/** One connection over polling: several payloads, sometimes two at once, which is an offence too. */
const overPolling = (platform: ClientPlatform, random: Random, stats: ServerStats): Effect.Effect<void> =>
  Effect.gen(function* () {
    const sid = sidOf(yield* request(platform, undefined, undefined))
    if (sid === undefined) return
    for (let n = 1 + random.below(3); n > 0; n--) {
      const frames = ["40", ...(random.below(2) > 0 ? ["40/a,"] : [])].concat(
        ...Array.from({ length: 1 + random.below(6) }, () => Grammar.hostile(random, 0.15).map(toText))
      )
      stats.frames += frames.length
      const post = request(platform, sid, frames.join("\x1e"))
      const posts = random.below(8) === 0 ? [post, post] : [post]
      const results = yield* Effect.all(posts, { concurrency: "unbounded" })
      if (results.some((result) => result._tag === "NoAnswer" || result.status !== 200)) {
        stats.closed++
        return
      }
    }
    yield* request(platform, sid, "1")
  })

/** Attacks with so many connections. Fails when the bystander notices, or when something is left. */
export const fuzz = (seed: number, connections: number): Effect.Effect<ServerStats> => {
  const stats: ServerStats = { connections: 0, frames: 0, closed: 0, handled: 0 }
  return Effect.gen(function* () {
    const network = yield* MemoryNetwork.MemoryNetwork
    const chat = yield* SocketClient.connect(Secret, { url: Testing.url, transports: ["websocket"] })
    const ticks: Array<number> = []
    yield* chat.on("tick", (tick) => Effect.sync(() => void ticks.push(tick)))
    yield* chat.emitWithAck("say", "let me in")
    const secret = yield* SocketServer.handle(Secret)
    const platform = network.platform("attacker")
    for (let i = 0; i < connections; i++) {
      const chance = random(seed + i)
      const attack = chance.below(3) === 0 ? overPolling : overWebSocket
      yield* attack(platform, chance, stats)
      stats.connections++
      yield* secret.to(privateRoom).emit("tick", i)
      if (i % 50 !== 49) continue
      yield* network.settle
      const answer = yield* chat.emitWithAck("say", `still here after ${seed + i}`)
      if (answer !== `still here after ${seed + i}`) throw new Error(`seed ${seed + i}: answered ${answer}`)
      if (ticks.length !== i + 1 || ticks.at(-1) !== i) throw new Error(`seed ${seed + i}: ${ticks.length} ticks`)
    }
    yield* network.settle
    const left = yield* SocketServer.telemetry
    if (left.sockets !== 1 || left.clients !== 1) {
      throw new Error(`${left.sockets} sockets and ${left.clients} sessions are left`)
    }
    return stats
  }).pipe(
    Effect.scoped,
    Effect.provide(Testing.layer(live(stats)), { local: true }),
    Effect.provideService(ErrorSink.ErrorSink, () => Effect.void),
    Effect.orDie
  )
}
