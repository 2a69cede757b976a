/**
 * What stands between the wire and the handlers of one socket: packet middleware, and transformations of the stream of packets.
 */
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Dispatch from "./Dispatch.ts"
import type { Packet } from "./Packet.ts"
import type { ServerSocket } from "./ServerSocket.ts"

/** The services of the caller, with the scope of the socket. */
export const servicesFor = (socket: ServerSocket, context: Context.Context<never>): Context.Context<never> =>
  context === socket.services() ? context : Context.add(context, Scope.Scope, socket.scope())

/** Adds a packet middleware; the first that was added comes first. */
export const use = <E = never, R = never>(
  socket: ServerSocket,
  gate: (packet: Packet, next: (packet: Packet) => Effect.Effect<void>) => Effect.Effect<unknown, E, R>
): Effect.Effect<void, never, Exclude<R, Scope.Scope>> =>
  Effect.withFiber((fiber) => {
    const run = gate as (packet: Packet, next: (packet: Packet) => Effect.Effect<void>) => Effect.Effect<unknown, E>
    ;(socket.extra().gates ??= []).push({ run, context: servicesFor(socket, fiber.context) })
    return Effect.void
  })

/** Adds a stage; the first that was added comes first. */
export const transform = <E = never, R = never>(
  socket: ServerSocket,
  f: (packets: Stream.Stream<Packet>) => Stream.Stream<Packet, E, R>
): Effect.Effect<void, never, Exclude<R, Scope.Scope>> =>
  Effect.gen(function* () {
    const context = servicesFor(socket, yield* Effect.context<never>())
    const queue = yield* Queue.make<Packet, Cause.Done>()
    const stages = (socket.extra().stages ??= [])
    const index = stages.length
    // Packets in a stage count as running, so that a slow stage slows the client down.
    stages.push((packet) => {
      if (!Queue.offerUnsafe(queue, packet)) return
      socket.busy()
    })
    const taken = Stream.fromPull(
      Effect.succeed(
        Effect.tap(Queue.takeAll(queue), (packets) => Effect.sync(() => packets.forEach(() => socket.idle())))
      )
    )
    const forward = (packet: Packet): void => {
      const next = socket.extras?.stages?.[index + 1]
      if (next === undefined) Dispatch.deliver(socket, packet)
      else next(packet)
    }
    const stream = f(taken) as Stream.Stream<Packet, E>
    const running = Stream.runForEach(stream, (packet) => Effect.sync(() => forward(packet))).pipe(
      Effect.catchCause((cause) =>
        Effect.sync(() => {
          if (!socket.connected) return
          socket.core.counters.handlerFailures++
          socket.report("packet", undefined, cause)
          socket.leaveNamespace()
        })
      ),
      Effect.ensuring(Queue.shutdown(queue))
    )
    Fiber.runIn(Effect.runForkWith(context)(running), socket.scope())
  })
