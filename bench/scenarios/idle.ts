import * as Idle from "../load/Idle.ts"
import type { Figure, Goals, Mark, Scenario } from "../Scenario.ts"

const connections = 5000

const perConnection = (key: "heap" | "rss", title: string, goals: Goals): Figure => ({
  key,
  title,
  unit: "B",
  goals,
  read: (before: Mark, after: Mark, load) => (after[key] - before[key]) / load.operations
})

/** Memory of connections that do nothing, after a forced garbage collection, in a new process each round. */
export const idle: Scenario = {
  name: "idle",
  about: "5,000 idle WebSocket connections in a new process, after gc",
  needs: "websocket",
  fresh: true,
  gc: true,
  duration: 0,
  rounds: 3,
  figures: [
    perConnection("heap", "idle connection, heap", { official: { ours: 0.8, facade: 0.8, "facade-lean": 0.5 } }),
    perConnection("rss", "idle connection, RSS", {})
  ],
  prepare: (port) => Promise.resolve(Idle.prepare(port, { connections, warmUp: 500, concurrency: 50 }))
}
