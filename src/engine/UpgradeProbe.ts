/**
 * The second transport of a session while it tries to take over, with the timers that only it needs.
 */
import type { CloseReason } from "../protocol/CloseReason.ts"
import type * as EngineMachine from "../protocol/EngineMachine.ts"
import * as EnginePacket from "../protocol/EnginePacket.ts"
import type { Frame } from "../protocol/FrameGroup.ts"
import type { Deadline, Expirable } from "../runtime/Deadlines.ts"
import type { Heartbeat } from "./Heartbeat.ts"
import type { Closed } from "./Session.ts"
import type { Transport, TransportSink } from "./Transport.ts"

/** The session, as its probe sees it. */
export interface ProbeOwner {
  readonly closed: Closed | undefined
  step(input: EngineMachine.Input): void
  /** The probe has asked, and is about to be answered. */
  notifyUpgrading(transport: Transport): void
  /** The client went over to the new transport while the session ended: what it has not been told it hears there. */
  bequeath(): void
  /** Gives the probe up. */
  dropProbe(): void
}

/** The transport that tries to take over, from its WebSocket's opening to the switch or the end. */
export class UpgradeProbe implements TransportSink, Expirable {
  readonly transport: Transport
  private readonly session: ProbeOwner
  private readonly heartbeat: Heartbeat["Service"]
  /** Whether the client may switch at any moment. */
  answered = false
  private upgradeTimeout: Deadline | undefined = undefined
  private pollRelease: Deadline | undefined = undefined

  constructor(session: ProbeOwner, transport: Transport, heartbeat: Heartbeat["Service"]) {
    this.session = session
    this.transport = transport
    this.heartbeat = heartbeat
  }

  startTimer(timer: EngineMachine.Timer, millis: number): void {
    this.stopTimer(timer)
    const deadline = this.heartbeat.deadlines.set(millis, this)
    if (timer === "upgradeTimeout") this.upgradeTimeout = deadline
    else this.pollRelease = deadline
  }

  stopTimer(timer: EngineMachine.Timer): void {
    const deadline = timer === "upgradeTimeout" ? this.upgradeTimeout : this.pollRelease
    if (deadline === undefined) return
    this.heartbeat.deadlines.cancel(deadline)
    if (timer === "upgradeTimeout") this.upgradeTimeout = undefined
    else this.pollRelease = undefined
  }

  onDeadline(deadline: Deadline): void {
    this.session.step({
      _tag: "TimerFired",
      timer: deadline === this.upgradeTimeout ? "upgradeTimeout" : "pollRelease"
    })
  }

  onFrame(frame: Frame): void {
    const packet = EnginePacket.decode(frame)
    if (this.session.closed !== undefined) {
      const switches = !EnginePacket.isFailure(packet) && packet.type === "upgrade"
      return switches ? this.session.bequeath() : this.session.dropProbe()
    }
    if (EnginePacket.isFailure(packet)) {
      return this.session.step({ _tag: "Undecodable", lane: "probe", message: packet.message })
    }
    if (packet.type === "ping" && packet.data === "probe") {
      this.answered = true
      this.session.notifyUpgrading(this.transport)
    }
    this.session.step({ _tag: "Packet", lane: "probe", packet })
  }

  onDrain(): void {}

  onClose(reason: CloseReason): void {
    if (this.session.closed !== undefined) this.session.dropProbe()
    else this.session.step({ _tag: "TransportClosed", lane: "probe", reason })
  }
}
