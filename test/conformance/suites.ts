/** Every raw suite. */
import type { Suite } from "./Case.ts"
import { closingSuites } from "./engine/closing.ts"
import { handshakeSuites } from "./engine/handshake.ts"
import { heartbeatSuites } from "./engine/heartbeat.ts"
import { hostingSuites } from "./engine/hosting.ts"
import { limitSuites } from "./engine/limits.ts"
import { pollingSuites } from "./engine/pollingCases.ts"
import { refusalSuites } from "./engine/refusals.ts"
import { upgradeLoadSuites } from "./engine/upgradeLoad.ts"
import { upgradeSuites } from "./engine/upgrading.ts"
import { websocketSuites } from "./engine/websocketCases.ts"
import { connectingSuites } from "./socket/connecting.ts"
import { eventSuites } from "./socket/events.ts"
import { failingSuites } from "./socket/failing.ts"
import { malformedSuites } from "./socket/malformed.ts"
import { msgpackSuites } from "./socket/msgpack.ts"
import { roomSuites } from "./socket/rooms.ts"
import { transportSuites } from "./socket/transport.ts"

/** The suites of Engine.IO 4. */
export const engineSuites: ReadonlyArray<Suite> = [
  ...handshakeSuites,
  ...refusalSuites,
  ...pollingSuites,
  ...websocketSuites,
  ...limitSuites,
  ...closingSuites,
  ...upgradeSuites,
  ...upgradeLoadSuites,
  ...heartbeatSuites,
  ...hostingSuites
]

/** The suites of Socket.IO 5. */
export const socketSuites: ReadonlyArray<Suite> = [
  ...connectingSuites,
  ...eventSuites,
  ...malformedSuites,
  ...roomSuites,
  ...failingSuites,
  ...msgpackSuites,
  ...transportSuites
]
