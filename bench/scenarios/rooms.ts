import * as Churn from "../load/Churn.ts"
import * as Paced from "../load/Paced.ts"
import * as Message from "../Message.ts"
import { cpuPerOperation, type Scenario } from "../Scenario.ts"

const connections = 10_000

const setUp = (index: number): ReadonlyArray<string> => [
  Message.join(`r${index % Message.churnRooms}`),
  ...(index % 100 === 0 ? [] : [Message.join(Message.quiet)])
]

const common = { needs: "churn", group: "tenthousand", allEvents: true, fresh: false, gc: false, rounds: 3 } as const

/** Selecting: everyone but a room in which nearly everyone is, so that not the deliveries are what costs. */
export const roomsExcept: Scenario = {
  ...common,
  name: "rooms-except",
  about:
    "10,000 WebSocket connections in 1,000 rooms, 40 broadcasts a second to all except a room of 9,900; an operation is one of 100 deliveries",
  duration: 800,
  figures: [cpuPerOperation("broadcast with except, 10,000 sockets, a delivery", { official: 0.7 })],
  prepare: (target) =>
    Paced.prepare(target, {
      connections,
      rate: 40,
      setUp,
      request: () => Message.publishExcept,
      receives: (index) => index % 100 === 0
    })
}

/** Membership: no deliveries at all. */
export const roomsChurn: Scenario = {
  ...common,
  name: "rooms-churn",
  about: "10,000 WebSocket connections in 1,000 rooms; each joins one more room and leaves it, again and again",
  duration: 500,
  figures: [cpuPerOperation("join and leave of a room, 10,000 sockets", { official: 0.7 })],
  prepare: (target) => Churn.prepare(target, { connections, setUp })
}
