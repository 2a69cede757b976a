import * as Peer from "../load/Peer.ts"
import { cpuPerOperation, type Scenario } from "../Scenario.ts"

const common = {
  subject: "client",
  needs: "websocket",
  fresh: false,
  gc: false,
  duration: 500,
  rounds: 5,
  listen: Peer.listen
} as const

/** Receiving. */
export const clientReceive: Scenario = {
  ...common,
  name: "client-receive",
  about: "one client in Node on WebSocket: 2,000 events from the server, eight to a TCP segment, and one answer",
  group: "client-receive",
  figures: [cpuPerOperation("client: a received event", { official: 0.8 })],
  prepare: Peer.sending
}

/** Asking. */
export const clientAck: Scenario = {
  ...common,
  name: "client-ack",
  about: "one client in Node on WebSocket: 2,000 events with an ack, 16 at a time",
  group: "client-ack",
  figures: [cpuPerOperation("client: an emit with ack", { official: 0.8 })],
  prepare: Peer.answering
}
