import * as PollingEcho from "../load/PollingEcho.ts"
import { cpuPerOperation, type Scenario } from "../Scenario.ts"

/** Long-polling: two HTTP requests an echo. */
export const polling: Scenario = {
  name: "polling",
  about: "40 clients on HTTP long-polling, 1 echo in flight on each: a POST and a GET an echo",
  needs: "polling",
  group: "polling",
  fresh: false,
  gc: false,
  duration: 500,
  rounds: 5,
  figures: [cpuPerOperation("polling echo, 40 clients", { official: 0.7 })],
  prepare: (target) => PollingEcho.prepare(target, { clients: 40 })
}
