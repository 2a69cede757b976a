/**
 * The connection under a socket, as far as programs may look: Socket.IO's `socket.conn`.
 */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import type { Session, SessionObserver } from "../engine/Session.ts"
import type { Frame, FrameGroup } from "../protocol/FrameGroup.ts"

/** The session of a client; its namespaces share it. */
export interface Conn {
  /** The id of the session, which is not the socket's. */
  readonly id: string
  /** "polling" or "websocket": the transport in use now. */
  readonly transport: string
  readonly upgraded: boolean
  /** Bytes that were written and have not left. */
  readonly bufferedAmount: number
  /** The host's request object, where the server was told to keep it. */
  readonly request: unknown
  /** The name of the transport after each upgrade. */
  readonly upgrades: Stream.Stream<string>
  /** Whenever what was buffered has left. */
  readonly drains: Stream.Stream<void>
  /** Engine.IO frames received and written. */
  readonly packets: Stream.Stream<Frame>
  readonly createdPackets: Stream.Stream<FrameGroup>
}

/** A stream that observes a session while it is run, and ends with it. */
const observed = <A>(session: Session, observer: (offer: (item: A) => void) => SessionObserver): Stream.Stream<A> =>
  Stream.callback<A>((queue) =>
    Effect.acquireRelease(
      Effect.sync(() => {
        if (session.closed !== undefined) {
          Queue.endUnsafe(queue)
          return () => {}
        }
        return session.observe({
          ...observer((item) => Queue.offerUnsafe(queue, item)),
          close: () => Queue.endUnsafe(queue)
        })
      }),
      (stop) => Effect.sync(stop)
    )
  )

class ConnView implements Conn {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  get id(): string {
    return this.#session.id
  }

  get transport(): string {
    return this.#session.transportName
  }

  get upgraded(): boolean {
    return this.#session.upgraded
  }

  get bufferedAmount(): number {
    return this.#session.bufferedAmount
  }

  get request(): unknown {
    return this.#session.request
  }

  get upgrades(): Stream.Stream<string> {
    return observed(this.#session, (offer) => ({ upgrade: offer }))
  }

  get drains(): Stream.Stream<void> {
    return observed(this.#session, (offer) => ({ drain: () => offer(undefined) }))
  }

  get packets(): Stream.Stream<Frame> {
    return observed(this.#session, (offer) => ({ packet: offer }))
  }

  get createdPackets(): Stream.Stream<FrameGroup> {
    return observed(this.#session, (offer) => ({ packetCreate: offer }))
  }
}

/** What can be seen of a session. */
export const make = (session: Session): Conn => new ConnView(session)
