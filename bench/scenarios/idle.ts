import * as Idle from "../load/Idle.ts"
import type { Figure, Goals, Mark, Scenario } from "../Scenario.ts"

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
  about: "10,000 idle WebSocket connections (4,000 in a quick run) in a new process, after gc",
  needs: "websocket",
  group: "idle",
  fresh: true,
  gc: true,
  duration: 0,
  rounds: 2,
  figures: [
    perConnection("heap", "idle connection, heap", { official: 0.4, ws: 1.7 }),
    perConnection("rss", "idle connection, RSS", { official: 0.5, ws: 1.1 })
  ],
  prepare: (target) =>
    Promise.resolve(
      Idle.prepare(target, { connections: Math.round(10_000 * target.scale), warmUp: 500, concurrency: 50 })
    )
}
