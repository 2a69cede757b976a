/**
 * A broadcast that waits for the answers of its receivers.
 */
import * as Acks from "./Acks.ts"
import * as Adapter from "./Adapter.ts"
import * as Cluster from "./Cluster.ts"
import type { OfficialPacket } from "./Parser.ts"

/** Whether the adapter leaves asking to us, so that we know of each client that goes. */
const asksItself = (adapter: Adapter.AdapterContract): boolean =>
  !(adapter instanceof Adapter.Adapter) ||
  adapter.broadcastWithAck !== Adapter.Adapter.prototype.broadcastWithAck ||
  adapter.serverCount !== Adapter.Adapter.prototype.serverCount

/** Asks; `done` gets an error or `null`, and the answers: an array, or the only one. */
export const ask = (
  adapter: Adapter.AdapterContract,
  packet: OfficialPacket,
  options: Adapter.BroadcastOptions,
  done: Acks.AckCallback
): void => {
  const timeout = options.flags?.timeout ?? adapter.nsp._core.core.settings.ackTimeout
  if (asksItself(adapter)) askThrough(adapter, packet, options, timeout, done)
  else askHere(adapter, packet, options, timeout, done)
}

const askHere = (
  adapter: Adapter.AdapterContract,
  packet: OfficialPacket,
  options: Adapter.BroadcastOptions,
  timeout: number,
  done: Acks.AckCallback
): void => {
  const { _core } = adapter.nsp
  const single = options.flags?.expectSingleResponse === true
  const responses: Array<unknown> = []
  let failure: (() => Error) | undefined
  let returned = false
  const target = Adapter.targetOf(options)
  const data = { data: packet.data as [string, ...Array<unknown>] }
  const flags = { ...Adapter.flagsOf(options.flags), timeout }
  const remote = options.flags?.local === true ? undefined : Cluster.remoteOf(_core)
  let open = remote === undefined ? 1 : 2
  const finish = (): void => {
    if (--open > 0) return
    if (failure === undefined) done(null, single ? responses[0] : responses)
    else done(failure(), single ? null : responses)
  }
  // Other nodes are asked first, as the outbox does it for events without answers.
  if (remote !== undefined) {
    Cluster.collect(
      adapter.nsp.server._context,
      remote.publishWithAcks(target, data, flags),
      ({ args }) => responses.push(args[0]),
      (error) => {
        if (error !== null) failure = error.reason === "Timeout" ? Acks.timedOut : () => error
        finish()
      }
    )
  }
  _core.outbox.poll(target, data, flags, {
    asked: () => {},
    reply: (_id, args) => responses.push(args[0]),
    disconnected: () => (failure ??= Acks.disconnected),
    expired: () => {
      _core.core.counters.ackTimeouts++
      failure = Acks.timedOut
    },
    // Nobody is there to ask: still not before `emit` has returned.
    done: () => (returned ? finish() : queueMicrotask(finish))
  })
  returned = true
}

/** By Socket.IO's contract: an adapter of somebody else tells how many were asked, for each server, and each answer. */
const askThrough = (
  adapter: Adapter.AdapterContract,
  packet: OfficialPacket,
  options: Adapter.BroadcastOptions,
  timeout: number,
  done: Acks.AckCallback
): void => {
  const { core } = adapter.nsp._core
  const single = options.flags?.expectSingleResponse === true
  const responses: Array<unknown> = []
  let servers: number | undefined
  let serversAsked = 0
  let clients = 0
  let over = false
  const end = (error: Error | null): void => {
    if (over) return
    over = true
    core.deadlines.cancel(deadline)
    done(error, single ? (error === null ? responses[0] : null) : responses)
  }
  const deadline = core.deadlines.set(timeout, {
    onDeadline: () => {
      core.counters.ackTimeouts++
      const { id } = packet
      if (id !== undefined) for (const socket of adapter.nsp.sockets.values()) socket.acks.delete(id)
      end(Acks.timedOut())
    }
  })
  const check = (): void => {
    if (servers === serversAsked && responses.length === clients) end(null)
  }
  adapter.broadcastWithAck(
    packet,
    { ...options, flags: { ...options.flags, timeout } },
    (count) => {
      clients += count
      serversAsked++
      check()
    },
    (response) => {
      responses.push(response)
      check()
    }
  )
  adapter.serverCount().then(
    (count) => {
      servers = count
      check()
    },
    (error: unknown) => end(error instanceof Error ? error : new Error(String(error)))
  )
}
