/**
 * From an event packet to the handler, and from the handler's end to the answer. Plain synchronous code: one decode, at most one fiber.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type { Event } from "../contract/index.ts"
import { PayloadIssue } from "../contract/index.ts"
import { InvalidPayload } from "../runtime/PayloadError.ts"
import { type Call, type EventHandler, find as findHandler, type Lane, type Reply } from "./EventHandler.ts"
import type { Packet } from "./Packet.ts"
import { isInterruption, reportedName } from "./ServerCore.ts"
import type { ServerSocket } from "./ServerSocket.ts"

const unknownEvent: PayloadIssue.PayloadIssue = { path: [], message: "no such event" }

/** An event that has passed whatever is before the handlers. */
export const dispatch = (
  socket: ServerSocket,
  name: string,
  args: ReadonlyArray<unknown>,
  id: number | undefined
): void => {
  const { definition } = socket.namespace
  const event = definition.contract.clientEvent(name)
  if (event === undefined) return invalid(socket, name, undefined, unknownEvent, id)
  const shared = definition.shared?.get(name)
  const own = findHandler(socket.handlers, name)
  const subscriptions = socket.extras?.subscriptions?.get(name)
  if (shared === undefined && own === undefined && subscriptions === undefined) {
    socket.core.counters.eventsUnhandled++
    return
  }
  const decoded = event.codec.decodeArgs(args)
  if (Exit.isFailure(decoded)) return invalid(socket, name, event, PayloadIssue.fromCause(decoded.cause), id)
  if (subscriptions !== undefined) for (const subscription of subscriptions) subscription.offer(decoded.value)
  const reply: Reply | undefined = id === undefined ? undefined : { id, done: false }
  if (shared !== undefined) start(socket, shared, decoded.value, reply)
  for (let handler = own; handler !== undefined; handler = findHandler(handler.next, name)) {
    start(socket, handler, decoded.value, reply)
  }
}

const start = (
  socket: ServerSocket,
  handler: EventHandler,
  args: ReadonlyArray<unknown>,
  reply: Reply | undefined
): void => {
  const { concurrency } = handler.event
  if (concurrency === "unbounded") return run(socket, handler, args, reply, undefined)
  const lane = socket.lane(handler)
  if (lane.running >= concurrency) {
    lane.waiting.push({ handler, args, reply })
    socket.busy()
    return
  }
  run(socket, handler, args, reply, lane)
}

const run = (
  socket: ServerSocket,
  handler: EventHandler,
  args: ReadonlyArray<unknown>,
  reply: Reply | undefined,
  lane: Lane | undefined
): void => {
  let exit: Exit.Exit<unknown, unknown> | undefined
  try {
    const effect = handler.shared ? handler.run(socket, ...args) : handler.run(...args)
    if (Exit.isExit(effect)) exit = effect
    else {
      const fiber = Effect.runForkWith(handler.context ?? socket.services())(effect)
      exit = fiber.pollUnsafe()
      if (exit === undefined) return suspended(socket, handler, reply, lane, fiber)
    }
  } catch (defect) {
    exit = Exit.die(defect)
  }
  finish(socket, handler, reply, exit)
}

const suspended = (
  socket: ServerSocket,
  handler: EventHandler,
  reply: Reply | undefined,
  lane: Lane | undefined,
  fiber: Fiber.Fiber<unknown, unknown>
): void => {
  if (lane !== undefined) lane.running++
  socket.busy()
  Fiber.runIn(fiber, socket.scope()).addObserver((exit) => {
    finish(socket, handler, reply, exit)
    socket.idle()
    if (lane !== undefined) next(socket, lane)
  })
}

/** A place of the lane is free: calls that end at once free it again. */
const next = (socket: ServerSocket, lane: Lane): void => {
  lane.running--
  for (;;) {
    if (!socket.connected) {
      lane.waiting.length = 0
      return
    }
    const call: Call | undefined = lane.waiting.shift()
    if (call === undefined) return
    const before = lane.running
    run(socket, call.handler, call.args, call.reply, lane)
    socket.idle()
    if (lane.running > before) return
  }
}

const finish = (
  socket: ServerSocket,
  handler: EventHandler,
  reply: Reply | undefined,
  exit: Exit.Exit<unknown, unknown>
): void => {
  const { codec } = handler.event
  if (Exit.isSuccess(exit)) {
    if (reply === undefined || reply.done) return
    const answer = codec.encodeAck(exit.value)
    if (Exit.isSuccess(answer)) return give(socket, handler, reply, answer.value)
    return failed(socket, handler, reply, Cause.fail(badAck(handler.name, answer.cause)))
  }
  // The socket is gone: its handlers were interrupted, which is no failure.
  if (!socket.connected && isInterruption(exit.cause)) return
  if (reply !== undefined) {
    for (const reason of exit.cause.reasons) {
      if (!Cause.isFailReason(reason)) continue
      const answer = codec.encodeAckFailure(reason.error)
      if (answer === undefined || Exit.isFailure(answer)) continue
      if (!reply.done) give(socket, handler, reply, answer.value)
      return
    }
  }
  failed(socket, handler, reply, exit.cause)
}

/** Answers; where the answer has no form on the wire (a cycle, a BigInt) the handler has failed, and the caller is told so. */
const give = (socket: ServerSocket, handler: EventHandler, reply: Reply, answer: ReadonlyArray<unknown>): void => {
  const failure = socket.reply(reply, answer, handler.event.codec.ackHasBinary)
  if (failure === undefined) return
  failed(socket, handler, reply, Cause.die(new TypeError(failure.message, { cause: failure.cause })))
}

const failed = (
  socket: ServerSocket,
  handler: EventHandler,
  reply: Reply | undefined,
  cause: Cause.Cause<unknown>
): void => {
  socket.core.counters.handlerFailures++
  if (reply !== undefined && !reply.done) {
    const answer = handler.event.codec.encodeHandlerFailed(handler.name)
    if (answer !== undefined) socket.reply(reply, answer, false)
  }
  socket.report("event", handler.name, cause)
}

/** What a handler returned does not fit the contract: our own mistake, so the cause is the whole of it. */
const badAck = (event: string, cause: Cause.Cause<unknown>): InvalidPayload =>
  new InvalidPayload({ event, ...PayloadIssue.fromCause(cause as Cause.Cause<never>) })

const invalid = (
  socket: ServerSocket,
  name: string,
  event: Event.Any | undefined,
  issue: PayloadIssue.PayloadIssue,
  id: number | undefined
): void => {
  const reported = reportedName(name)
  socket.core.counters.invalidPayloads++
  const answer = id === undefined ? undefined : event?.codec.encodeInvalidPayload(reported, issue)
  if (id !== undefined && answer !== undefined) socket.reply({ id, done: false }, answer, false)
  socket.report("packet", reported, Cause.fail(new InvalidPayload({ event: reported, ...issue })))
  if (socket.namespace.definition.onInvalidPayload === "disconnect") socket.leaveNamespace()
}

/** An event that came in: through the packet middleware, the stream stages and the catch-all listeners, where there are any. */
export const receive = (socket: ServerSocket, packet: Packet): void => {
  const { extras } = socket
  if (extras?.gates === undefined) return afterGates(socket, packet)
  if (extras.gateBusy) {
    ;(extras.gateQueue ??= []).push(packet)
    socket.busy()
    return
  }
  passGates(socket, packet)
}

const afterGates = (socket: ServerSocket, packet: Packet): void => {
  const stages = socket.extras?.stages
  if (stages === undefined) deliver(socket, packet)
  else stages[0]!(packet)
}

/** The last step: catch-all listeners, then handlers. */
export const deliver = (socket: ServerSocket, packet: Packet): void => {
  if (!socket.connected) return
  const incoming = socket.extras?.incoming
  if (incoming !== undefined) for (const subscription of incoming) subscription.offer(packet)
  dispatch(socket, packet.event, packet.args, packet.id)
}

/** Packets pass the middleware one after the other, so that a slow check does not let a later packet overtake. */
const passGates = (socket: ServerSocket, first: Packet): void => {
  const extras = socket.extras!
  const gates = extras.gates!
  const through = (index: number, packet: Packet): Effect.Effect<void> => {
    const gate = gates[index]
    if (gate === undefined) return Effect.sync(() => afterGates(socket, packet))
    const effect = Effect.suspend(() => gate.run(packet, (changed) => through(index + 1, changed)))
    return Effect.provideContext(effect, gate.context) as Effect.Effect<void>
  }
  let packet: Packet | undefined = first
  while (packet !== undefined && socket.connected) {
    const current = packet
    const ended = (exit: Exit.Exit<unknown, unknown>): void => {
      if (Exit.isFailure(exit)) refused(socket, current, exit.cause)
    }
    const fiber = Effect.runForkWith(socket.services())(through(0, current))
    const exit = fiber.pollUnsafe()
    if (exit === undefined) {
      extras.gateBusy = true
      Fiber.runIn(fiber, socket.scope()).addObserver((exit) => {
        extras.gateBusy = false
        ended(exit)
        const waiting = extras.gateQueue?.shift()
        if (waiting === undefined) return
        socket.idle()
        passGates(socket, waiting)
      })
      return
    }
    ended(exit)
    packet = extras.gateQueue?.shift()
    if (packet !== undefined) socket.idle()
  }
}

/** The middleware refused a packet: the handler does not see it, and a caller that can be told is. */
const refused = (socket: ServerSocket, packet: Packet, cause: Cause.Cause<unknown>): void => {
  if (!socket.connected && isInterruption(cause)) return
  socket.core.counters.handlerFailures++
  const event = socket.namespace.definition.contract.clientEvent(packet.event)
  const answer = packet.id === undefined ? undefined : event?.codec.encodeHandlerFailed(reportedName(packet.event))
  if (answer !== undefined) socket.reply({ id: packet.id!, done: false }, answer, false)
  socket.report("packet", reportedName(packet.event), cause)
}
