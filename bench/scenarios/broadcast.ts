import * as Paced from "../load/Paced.ts"
import * as Saturated from "../load/Saturated.ts"
import * as Message from "../Message.ts"
import { cpuPerOperation, type Scenario } from "../Scenario.ts"

const common = { needs: "websocket", fresh: false, gc: false, duration: 800, rounds: 5, generators: 2 } as const

const goals = { official: 0.88, ws: 1, "ws-cork": 0.95 }

/** One event to everyone: one kernel write a delivery, whoever serves it. */
export const broadcast: Scenario = {
  ...common,
  name: "broadcast",
  about: "500 WebSocket connections, 40 broadcasts a second to all, paced by the generator",
  group: "fivehundred",
  figures: [cpuPerOperation("broadcast to 500, a delivery", goals)],
  prepare: (target) => Paced.prepare(target, { connections: 500, rate: 40 })
}

/** What a turn brings leaves together: one kernel write for ten deliveries to the same connection. */
export const broadcastTurn: Scenario = {
  ...common,
  name: "broadcast-turn",
  about: "500 WebSocket connections, 10 broadcasts to all in one turn, 6 times a second, paced by the generator",
  group: "fivehundred",
  figures: [cpuPerOperation("10 broadcasts a turn to 500, a delivery", { official: 0.35, ws: 0.4, "ws-cork": 1 })],
  prepare: (target) => Paced.prepare(target, { connections: 500, rate: 6, together: 10 })
}

/** As many as the server can. */
export const broadcastSaturated: Scenario = {
  ...common,
  name: "broadcast-saturated",
  about: "500 WebSocket connections, 16 broadcasts to all under way at a time, as fast as they go",
  group: "fivehundred",
  figures: [
    {
      key: "rate",
      title: "broadcast to 500 at saturation",
      unit: "deliveries/s",
      goals: { official: 1.5, ws: 1.4, "ws-cork": 1 },
      better: "more",
      read: (_before, _after, load) => (load.operations / load.elapsed) * 1000
    },
    cpuPerOperation("… CPU a delivery", {})
  ],
  prepare: (target) => Saturated.prepare(target, { connections: 500, inFlight: 16, publishes: 160 })
}

/** Ten times as many connections at the same number of deliveries. */
export const broadcast5000: Scenario = {
  ...common,
  name: "broadcast-5000",
  about: "5,000 WebSocket connections, 4 broadcasts a second to all, paced by the generator",
  group: "fivethousand",
  allEvents: true,
  rounds: 3,
  figures: [cpuPerOperation("broadcast to 5,000, a delivery", goals)],
  prepare: (target) => Paced.prepare(target, { connections: 5000, rate: 4 })
}

/** The same connections in ten rooms. */
export const broadcastRooms: Scenario = {
  ...common,
  name: "broadcast-rooms",
  about: "5,000 WebSocket connections in 10 rooms of 500, 40 broadcasts a second to one room after the other",
  group: "fivethousand",
  allEvents: true,
  rounds: 3,
  figures: [cpuPerOperation("broadcast to 10 rooms of 500, a delivery", goals)],
  prepare: (target) =>
    Paced.prepare(target, {
      connections: 5000,
      rate: 40,
      rooms: 10,
      setUp: (index) => [Message.join(`r${index % 10}`)],
      request: (index) => Message.publishTo(`r${index}`)
    })
}
