/**
 * What nodes tell each other: the messages of `socket.io-adapter` 2.5 as values, and their reading from what a broker delivers.
 *
 * Reading is total and lenient: official nodes and emitters of several versions leave out `nsp`, send numbers as text and add keys.
 */
import type { BroadcastFlags, EventData, SocketDescription, Target } from "./Adapter.ts"

/** The numbers of the messages on the wire. */
export const MessageType = {
  INITIAL_HEARTBEAT: 1,
  HEARTBEAT: 2,
  BROADCAST: 3,
  SOCKETS_JOIN: 4,
  SOCKETS_LEAVE: 5,
  DISCONNECT_SOCKETS: 6,
  FETCH_SOCKETS: 7,
  FETCH_SOCKETS_RESPONSE: 8,
  SERVER_SIDE_EMIT: 9,
  SERVER_SIDE_EMIT_RESPONSE: 10,
  BROADCAST_CLIENT_COUNT: 11,
  BROADCAST_ACK: 12,
  ADAPTER_CLOSE: 13
} as const

/** The uid of emitters, which are no nodes: nothing answers to it, and nobody counts it. */
export const emitterUid = "emitter"

/** What a message says; its sender and namespace are beside it. */
export type Body =
  | { readonly type: typeof MessageType.INITIAL_HEARTBEAT }
  | { readonly type: typeof MessageType.HEARTBEAT }
  | {
      readonly type: typeof MessageType.BROADCAST
      readonly target: Target
      readonly flags: BroadcastFlags
      readonly event: EventData
      /** Present when answers are wanted. */
      readonly requestId: string | undefined
    }
  | {
      readonly type: typeof MessageType.SOCKETS_JOIN | typeof MessageType.SOCKETS_LEAVE
      readonly target: Target
      readonly rooms: ReadonlyArray<string>
    }
  | { readonly type: typeof MessageType.DISCONNECT_SOCKETS; readonly target: Target; readonly close: boolean }
  | { readonly type: typeof MessageType.FETCH_SOCKETS; readonly target: Target; readonly requestId: string }
  | {
      readonly type: typeof MessageType.FETCH_SOCKETS_RESPONSE
      readonly requestId: string
      readonly sockets: ReadonlyArray<SocketDescription>
    }
  | {
      readonly type: typeof MessageType.SERVER_SIDE_EMIT
      readonly event: EventData
      readonly requestId: string | undefined
    }
  | {
      readonly type: typeof MessageType.SERVER_SIDE_EMIT_RESPONSE | typeof MessageType.BROADCAST_ACK
      readonly requestId: string
      /** The first argument of the answer; the wire has no more. */
      readonly answer: unknown
    }
  | { readonly type: typeof MessageType.BROADCAST_CLIENT_COUNT; readonly requestId: string; readonly count: number }
  | { readonly type: typeof MessageType.ADAPTER_CLOSE }

/** A message of one node to the others, or to one of them. */
export interface ClusterMessage {
  /** The node that sent it: one for each namespace of a server. */
  readonly uid: string
  readonly nsp: string
  readonly body: Body
}
