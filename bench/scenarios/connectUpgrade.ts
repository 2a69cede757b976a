import * as Client from "../load/Client.ts"
import * as Connecting from "../load/Connecting.ts"
import { cpuPerOperation, type Scenario } from "../Scenario.ts"

/** A new connection the way clients connect by default: polling first, then the upgrade. */
export const connectUpgrade: Scenario = {
  name: "connect-upgrade",
  about: "polling handshake, namespace by polling, probe and upgrade, one echo; 100 at a time, held until the mark",
  needs: "polling",
  group: "connect-upgrade",
  fresh: false,
  gc: false,
  duration: 600,
  rounds: 5,
  figures: [cpuPerOperation("connect, polling then upgrade", { official: 0.55 })],
  // The official server answers a waiting poll up to 100 ms after the probe, so fewer at a time would leave it idle.
  prepare: ({ port }) =>
    Promise.resolve(
      Connecting.prepare(() => Client.pollingThenUpgrade(port), { concurrency: 100, warmUp: 800, limit: 3000 })
    )
}
