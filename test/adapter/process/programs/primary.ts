/** The primary of a cluster, told by `CLUSTER` what to be (see config.ts). */
import { setupPrimary as setupOfficial } from "@socket.io/cluster-adapter"
import { ClusterPrimary } from "effect-socketio/cluster"
import { StickyPrimary } from "effect-socketio/node"
import cluster from "node:cluster"
import { readFileSync } from "node:fs"
import { createServer } from "node:http"
import { createServer as createSecureServer } from "node:https"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import type { ClusterConfig, Command, Kind, Report, WorkerReport } from "./config.ts"

const config = JSON.parse(process.env["CLUSTER"]!) as ClusterConfig
const tell = (report: Report): void => void process.send?.(report)

cluster.setupPrimary({ exec: join(import.meta.dirname, "worker.ts"), serialization: "advanced" })

const primary = config.primary === "ours" ? ClusterPrimary.makeUnsafe() : undefined
if (config.primary === "official") setupOfficial()

const { sticky } = config
let balancer: StickyPrimary.StickyPrimary | undefined
if (sticky !== undefined) {
  const server =
    sticky.cert === undefined || sticky.key === undefined
      ? createServer()
      : createSecureServer({ cert: readFileSync(sticky.cert), key: readFileSync(sticky.key) })
  balancer = StickyPrimary.makeUnsafe(server, {
    // A loaded machine takes its time to start processes.
    startTimeout: 120_000,
    loadBalancingMethod: sticky.method as StickyPrimary.StickyOptions["loadBalancingMethod"]
  })
  server.listen(0, "127.0.0.1", () => tell({ type: "primary", port: (server.address() as AddressInfo).port }))
}

const fork = (kind: Kind): void => {
  cluster.fork({ KIND: kind, STICKY: sticky === undefined ? "" : "1" })
}

cluster.on("message", (_worker, message: unknown) => {
  const report = (message as { readonly report?: WorkerReport } | null)?.report
  if (report !== undefined) tell({ type: "worker", worker: report })
})
cluster.on("exit", ({ id }) => tell({ type: "exit", id }))

process.on("message", (command: Command) => {
  switch (command.type) {
    case "fork":
      return fork(command.kind)
    case "inject":
      return void cluster.workers?.[command.worker]?.send({ inject: command.values })
    case "state":
      return tell({
        type: "state",
        state: {
          counters: primary?.counters,
          nodes: primary?.size,
          sessions: balancer?.sessions,
          workers: balancer === undefined ? undefined : Object.fromEntries(balancer.workers)
        }
      })
  }
})
// A test that is gone takes its cluster with it.
process.on("disconnect", () => process.exit(0))

for (const kind of config.workers) fork(kind)
