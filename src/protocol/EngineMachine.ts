/**
 * The only Engine.IO 4 state machine: what a session does about opening, heartbeats, upgrades and closing.
 *
 * Pure: `step(state, input)` gives the next state and what to do. Messages do not pass through it. It does not know transports,
 * only two *lanes*: the current transport, which carries the messages, and a probing one that may replace it.
 *
 * Both roles use the same inputs and outputs. The server pings and waits for pongs, answers probes and is told to switch; the
 * client answers pings, watches for their absence, probes and decides to switch.
 */
import * as CloseReason from "./CloseReason.ts"
import * as EngineHandshake from "./EngineHandshake.ts"
import * as EnginePacket from "./EnginePacket.ts"

/** The transport an input came from or an output goes to. */
export type Lane = "current" | "probe"

/**
 * The timers a session may have running; each at most once, so that starting one that runs restarts it. `pollRelease` is how the
 * server keeps releasing polls while an upgrade is under way.
 */
export type Timer = "pingInterval" | "pingTimeout" | "upgradeTimeout" | "pollRelease"

/** What happened. */
export type Input =
  /** A packet other than a message, or a message on the probing lane, which is a mistake of the peer. */
  | { readonly _tag: "Packet"; readonly lane: Lane; readonly packet: EnginePacket.EnginePacket }
  /** A message arrived on the current lane. Only of interest while `awaitsPong(state)`: leave it out otherwise. */
  | { readonly _tag: "Activity" }
  | { readonly _tag: "Undecodable"; readonly lane: Lane; readonly message: string }
  | { readonly _tag: "TimerFired"; readonly timer: Timer }
  /** A transport is gone, for a reason of its own. */
  | { readonly _tag: "TransportClosed"; readonly lane: Lane; readonly reason: CloseReason.CloseReason }
  /** Server: a second transport came with the session's id (ask `canProbe` first). Client: a second transport opened. */
  | { readonly _tag: "ProbeOpened" }
  /** Client: the current transport has nothing in flight any more, as `PauseCurrent` asked. */
  | { readonly _tag: "CurrentPaused" }
  /** Server: a poll waits for which there is nothing to send. Only of interest while `isProbing(state)`: leave it out otherwise. */
  | { readonly _tag: "PollWaiting" }
  /** We end it. */
  | { readonly _tag: "CloseRequested"; readonly reason: CloseReason.CloseReason }

/** What to do about it, in this order. */
export type Output =
  /** Client: on a paused current lane the packet waits, with the messages, for the end of the pause. */
  | { readonly _tag: "Send"; readonly lane: Lane; readonly packet: EnginePacket.EnginePacket }
  | { readonly _tag: "StartTimer"; readonly timer: Timer; readonly millis: number }
  | { readonly _tag: "StopTimer"; readonly timer: Timer }
  /** Client: the handshake arrived. Times in milliseconds, `maxPayload` in bytes. */
  | {
      readonly _tag: "Opened"
      readonly sid: string
      readonly upgrades: ReadonlyArray<string>
      readonly pingInterval: number
      readonly pingTimeout: number
      readonly maxPayload: number
    }
  /** The peer's ping or pong arrived: it is alive. */
  | { readonly _tag: "Heartbeat" }
  /**
   * Client: send nothing more on the current transport, let what is in flight settle, then say `CurrentPaused`.
   * Server: the client is about to pause; answer a waiting poll, with a noop if there is nothing else. Comes repeatedly.
   */
  | { readonly _tag: "PauseCurrent" }
  /** The probe becomes the current transport; the old one is discarded without closing the session. */
  | { readonly _tag: "Switch" }
  /** The upgrade failed: close the probing transport and resume the current one. */
  | { readonly _tag: "DropProbe"; readonly reason: string }
  /** The session has ended, for this reason: close every transport. Always the last output of a session. */
  | { readonly _tag: "Closed"; readonly reason: CloseReason.CloseReason; readonly description: string | undefined }

/** What the server's timers need, in milliseconds; one value shared by all sessions. */
export interface ServerConfig {
  readonly pingInterval: number
  readonly pingTimeout: number
  readonly upgradeTimeout: number
}

/** How the server's wait for a pong stands: resting between pings, waiting, or waiting with the timeout extended once. */
type Waiting = "resting" | "waiting" | "extended"

/** A server's session that is open. */
export interface ServerState {
  readonly _tag: "Server"
  readonly config: ServerConfig
  readonly heartbeat: Waiting
  /**
   * `opened`: a probe is there. `confirmed`: its `2probe` was answered and the client is about to switch. `released`,
   * `releasedTwice`: as `confirmed`, and one poll or two that came since then were released.
   */
  readonly probe: "none" | "opened" | "confirmed" | "released" | "releasedTwice"
  readonly upgraded: boolean
}

/** A client's session before its handshake or after. */
export interface ClientState {
  readonly _tag: "Client"
  /** How long the server may be silent, in milliseconds; `undefined` before the handshake. */
  readonly silence: number | undefined
  /** `asked`: `2probe` was sent. `pausing`: `3probe` came, the current transport is settling. */
  readonly probe: "none" | "asked" | "pausing"
}

/** A session that has ended: every input is ignored. */
export interface ClosedState {
  readonly _tag: "Closed"
}

/** The state of a session. */
export type State = ServerState | ClientState | ClosedState

type Step = readonly [State, ReadonlyArray<Output>]

/**
 * How often the server releases polls while the client may be about to pause, in milliseconds. Engine.IO 6: `checkIntervalTimer`. Ours
 * matters to clients that do not pause only: the polls of those that do are released when they come.
 */
export const pollReleaseInterval = 100

const nothing: ReadonlyArray<Output> = []
const closedState: ClosedState = { _tag: "Closed" }
const heartbeat: Output = { _tag: "Heartbeat" }
const pause: Output = { _tag: "PauseCurrent" }
const releasePoll: ReadonlyArray<Output> = [pause]
const sendPing: Output = { _tag: "Send", lane: "current", packet: EnginePacket.make("ping") }
const sendPong: Output = { _tag: "Send", lane: "current", packet: EnginePacket.make("pong") }
const askProbe: Output = { _tag: "Send", lane: "probe", packet: EnginePacket.make("ping", "probe") }
const answerProbe: Output = { _tag: "Send", lane: "probe", packet: EnginePacket.make("pong", "probe") }
const sendUpgrade: Output = { _tag: "Send", lane: "probe", packet: EnginePacket.make("upgrade") }
const switchOver: Output = { _tag: "Switch" }

const start = (timer: Timer, millis: number): Output => ({ _tag: "StartTimer", timer, millis })
const stop = (timer: Timer): Output => ({ _tag: "StopTimer", timer })

const stopPingInterval = stop("pingInterval")
const stopPingTimeout = stop("pingTimeout")
const stopUpgradeTimeout = stop("upgradeTimeout")
const stopPollRelease = stop("pollRelease")
const startPollRelease = start("pollRelease", pollReleaseInterval)

/**
 * A server's session at its beginning: the open packet goes out and the first ping is due in `pingInterval`.
 * What the open packet tells beyond the config (`sid`, `upgrades`, `maxPayload`) is given once and not kept.
 */
export const initialServer = (
  config: ServerConfig,
  handshake: { readonly sid: string; readonly upgrades: ReadonlyArray<string>; readonly maxPayload: number }
): readonly [ServerState, ReadonlyArray<Output>] => {
  const open = EngineHandshake.encode({
    sid: handshake.sid,
    upgrades: handshake.upgrades,
    pingInterval: config.pingInterval,
    pingTimeout: config.pingTimeout,
    maxPayload: handshake.maxPayload
  })
  return [
    { _tag: "Server", config, heartbeat: "resting", probe: "none", upgraded: false },
    [
      { _tag: "Send", lane: "current", packet: EnginePacket.make("open", open) },
      start("pingInterval", config.pingInterval)
    ]
  ]
}

/** A client's session whose transport has been opened; it waits for the open packet. There is nothing to do yet. */
export const initialClient: ClientState = { _tag: "Client", silence: undefined, probe: "none" }

/** Whether messages are worth an `Activity` input now: a server that waits for a pong and has not extended the wait yet. */
export const awaitsPong = (state: State): boolean => state._tag === "Server" && state.heartbeat === "waiting"

/** Whether a second transport may try to take over: at most one at a time, and once in the life of a session on the server. */
export const canProbe = (state: State): boolean =>
  state._tag === "Server"
    ? state.probe === "none" && !state.upgraded
    : state._tag === "Client" && state.silence !== undefined && state.probe === "none"

/** Whether a probing transport is there. */
export const isProbing = (state: State): boolean => state._tag !== "Closed" && state.probe !== "none"

const closed = (
  state: ServerState | ClientState,
  reason: CloseReason.CloseReason,
  description: string | undefined
): Step => {
  const outputs: Array<Output> = []
  if (state._tag === "Server") outputs.push(state.heartbeat === "resting" ? stopPingInterval : stopPingTimeout)
  else if (state.silence !== undefined) outputs.push(stopPingTimeout)
  if (state._tag === "Server") stopProbe(state, outputs)
  outputs.push({ _tag: "Closed", reason, description })
  return [closedState, outputs]
}

const awaitsSwitch = (state: ServerState): boolean => state.probe !== "none" && state.probe !== "opened"

const stopProbe = (state: ServerState, outputs: Array<Output>): void => {
  if (state.probe !== "none") outputs.push(stopUpgradeTimeout)
  if (awaitsSwitch(state)) outputs.push(stopPollRelease)
}

const dropServerProbe = (state: ServerState, reason: string): Step => {
  if (state.probe === "none") return [state, nothing]
  const outputs: Array<Output> = []
  stopProbe(state, outputs)
  outputs.push({ _tag: "DropProbe", reason })
  return [{ ...state, probe: "none" }, outputs]
}

/** Any packet but a pong, while waiting for one, gives the client more time, once for each ping. */
const extendWait = (state: ServerState): Step =>
  state.heartbeat === "waiting"
    ? [{ ...state, heartbeat: "extended" }, [start("pingTimeout", state.config.pingTimeout)]]
    : [state, nothing]

const serverPacket = (state: ServerState, packet: EnginePacket.EnginePacket): Step => {
  switch (packet.type) {
    case "pong":
      // A pong nobody asked for is a sign of life and no more: it must not put off the next ping.
      return state.heartbeat === "resting"
        ? [state, [heartbeat]]
        : [
            { ...state, heartbeat: "resting" },
            [stopPingTimeout, start("pingInterval", state.config.pingInterval), heartbeat]
          ]
    case "ping":
      return closed(state, CloseReason.transportError, "invalid heartbeat direction")
    case "close":
      return closed(state, CloseReason.transportClose, undefined)
    default:
      // Other packets have no meaning here; the official server ignores them too.
      return extendWait(state)
  }
}

const serverProbePacket = (state: ServerState, packet: EnginePacket.EnginePacket): Step => {
  if (state.probe === "none") return [state, nothing]
  if (packet.type === "ping" && packet.data === "probe") {
    return [{ ...state, probe: "confirmed" }, [answerProbe, pause, startPollRelease]]
  }
  if (packet.type === "upgrade") {
    const outputs: Array<Output> = []
    stopProbe(state, outputs)
    outputs.push(switchOver)
    // A pong under way may have been held back by the client's pause: it gets the full time again on the new transport.
    if (state.heartbeat !== "resting") outputs.push(start("pingTimeout", state.config.pingTimeout))
    return [{ ...state, probe: "none", upgraded: true }, outputs]
  }
  return dropServerProbe(state, "unexpected probe packet")
}

const stepServer = (state: ServerState, input: Input): Step => {
  switch (input._tag) {
    case "Packet":
      return input.lane === "current" ? serverPacket(state, input.packet) : serverProbePacket(state, input.packet)
    case "Activity":
      return extendWait(state)
    case "Undecodable":
      return input.lane === "current"
        ? closed(state, CloseReason.parseError, input.message)
        : dropServerProbe(state, input.message)
    case "TimerFired":
      return serverTimer(state, input.timer)
    case "TransportClosed":
      return input.lane === "current"
        ? closed(state, input.reason, undefined)
        : dropServerProbe(state, "transport closed")
    case "ProbeOpened":
      return canProbe(state)
        ? [{ ...state, probe: "opened" }, [start("upgradeTimeout", state.config.upgradeTimeout)]]
        : [state, nothing]
    case "CurrentPaused":
      return [state, nothing]
    case "PollWaiting":
      // It was sent before the answer to the probe had arrived, and the client cannot pause until it is answered. Twice: the first may
      // have been under way when the probe came, the second leaves a whole round trip later, when the answer has arrived also over a
      // WebSocket half as fast. A client that goes on polling is left to the interval.
      if (state.probe === "confirmed") return [{ ...state, probe: "released" }, releasePoll]
      return state.probe === "released" ? [{ ...state, probe: "releasedTwice" }, releasePoll] : [state, nothing]
    case "CloseRequested":
      return closed(state, input.reason, undefined)
  }
}

const serverTimer = (state: ServerState, timer: Timer): Step => {
  switch (timer) {
    case "pingInterval":
      return state.heartbeat === "resting"
        ? [{ ...state, heartbeat: "waiting" }, [sendPing, start("pingTimeout", state.config.pingTimeout)]]
        : [state, nothing]
    case "pingTimeout":
      return state.heartbeat === "resting" ? [state, nothing] : closed(state, CloseReason.pingTimeout, undefined)
    case "upgradeTimeout":
      return dropServerProbe(state, "upgrade timeout")
    case "pollRelease":
      return awaitsSwitch(state) ? [state, [pause, startPollRelease]] : [state, nothing]
  }
}

const dropClientProbe = (state: ClientState, reason: string): Step =>
  state.probe === "none" ? [state, nothing] : [{ ...state, probe: "none" }, [{ _tag: "DropProbe", reason }]]

const clientPacket = (state: ClientState, packet: EnginePacket.EnginePacket): Step => {
  if (packet.type === "close") return closed(state, CloseReason.transportClose, undefined)
  if (state.silence === undefined) {
    // Nothing has a meaning before the handshake.
    return packet.type === "open" ? openClient(state, packet.data) : [state, nothing]
  }
  if (packet.type === "ping") return [state, [sendPong, start("pingTimeout", state.silence), heartbeat]]
  return [state, nothing]
}

const openClient = (state: ClientState, data: string | Uint8Array | undefined): Step => {
  const handshake = EngineHandshake.decode(data)
  if (EnginePacket.isFailure(handshake)) return closed(state, CloseReason.parseError, handshake.message)
  const { sid, upgrades, pingInterval, pingTimeout, maxPayload } = handshake
  const silence = pingInterval + pingTimeout
  return [
    { ...state, silence },
    [{ _tag: "Opened", sid, upgrades, pingInterval, pingTimeout, maxPayload }, start("pingTimeout", silence)]
  ]
}

const clientProbePacket = (state: ClientState, packet: EnginePacket.EnginePacket): Step => {
  if (state.probe === "asked" && packet.type === "pong" && packet.data === "probe") {
    return [{ ...state, probe: "pausing" }, [pause]]
  }
  return dropClientProbe(state, "probe error")
}

const stepClient = (state: ClientState, input: Input): Step => {
  switch (input._tag) {
    case "Packet":
      return input.lane === "current" ? clientPacket(state, input.packet) : clientProbePacket(state, input.packet)
    case "Undecodable":
      return input.lane === "current"
        ? closed(state, CloseReason.parseError, input.message)
        : dropClientProbe(state, input.message)
    case "TimerFired":
      return input.timer === "pingTimeout" && state.silence !== undefined
        ? closed(state, CloseReason.pingTimeout, undefined)
        : [state, nothing]
    case "TransportClosed":
      return input.lane === "current"
        ? closed(state, input.reason, undefined)
        : dropClientProbe(state, "transport closed")
    case "ProbeOpened":
      return canProbe(state) ? [{ ...state, probe: "asked" }, [askProbe]] : [state, nothing]
    case "CurrentPaused":
      return state.probe === "pausing" ? [{ ...state, probe: "none" }, [sendUpgrade, switchOver]] : [state, nothing]
    case "Activity":
    case "PollWaiting":
      return [state, nothing]
    case "CloseRequested":
      return closed(state, input.reason, undefined)
  }
}

/** `step` for those who are never a server, and whose bundle shall not hold what servers do. */
export const stepAsClient = (state: State, input: Input): Step =>
  state._tag === "Client" ? stepClient(state, input) : [state, nothing]

/** The next state, and what to do now. Total: inputs that make no sense in the state do nothing. */
export const step = (state: State, input: Input): Step => {
  switch (state._tag) {
    case "Server":
      return stepServer(state, input)
    case "Client":
      return stepClient(state, input)
    case "Closed":
      return [state, nothing]
  }
}
