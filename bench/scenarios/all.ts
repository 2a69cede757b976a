/** Every scenario, in the order of the table. A new one is a file here and a line below. */
import type { Scenario } from "../Scenario.ts"
import { ack } from "./ack.ts"
import { broadcast } from "./broadcast.ts"
import { connect } from "./connect.ts"
import { connectUpgrade } from "./connectUpgrade.ts"
import { echo } from "./echo.ts"
import { echoBurst } from "./echoBurst.ts"
import { echoSingle } from "./echoSingle.ts"
import { idle } from "./idle.ts"

/** All of them. */
export const scenarios: ReadonlyArray<Scenario> = [
  echo,
  echoBurst,
  echoSingle,
  ack,
  broadcast,
  connect,
  connectUpgrade,
  idle
]
