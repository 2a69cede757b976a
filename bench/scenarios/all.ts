/** Every scenario, in the order of the table; those of one group stand together. A new one is a file here and a line below. */
import type { Scenario } from "../Scenario.ts"
import { ack } from "./ack.ts"
import { binary100k, binary1k } from "./binary.ts"
import { broadcast, broadcast5000, broadcastRooms, broadcastSaturated, broadcastTurn } from "./broadcast.ts"
import { clientAck, clientReceive } from "./client.ts"
import { connect } from "./connect.ts"
import { connectUpgrade } from "./connectUpgrade.ts"
import { echo } from "./echo.ts"
import { echoBurst } from "./echoBurst.ts"
import { echoSingle } from "./echoSingle.ts"
import { idle } from "./idle.ts"
import { polling } from "./polling.ts"
import { roomsChurn, roomsExcept } from "./rooms.ts"
import { validated } from "./validated.ts"

/** All of them. */
export const scenarios: ReadonlyArray<Scenario> = [
  echo,
  echoBurst,
  ack,
  binary1k,
  binary100k,
  echoSingle,
  broadcast,
  broadcastTurn,
  broadcastSaturated,
  broadcast5000,
  broadcastRooms,
  roomsExcept,
  roomsChurn,
  polling,
  connect,
  connectUpgrade,
  validated,
  clientReceive,
  clientAck,
  idle
]
