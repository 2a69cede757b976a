/** All behaviour suites by name. */
import type { Case } from "../suites/Harness.ts"
import * as Acks from "../suites/cases/Acks.ts"
import * as Connecting from "../suites/cases/Connecting.ts"
import * as Events from "../suites/cases/Events.ts"
import * as Namespaces from "../suites/cases/Namespaces.ts"
import * as Payloads from "../suites/cases/Payloads.ts"
import * as Resilience from "../suites/cases/Resilience.ts"
import * as Rooms from "../suites/cases/Rooms.ts"

export const suites: ReadonlyArray<readonly [name: string, cases: ReadonlyArray<Case>]> = [
  ["connecting", Connecting.cases],
  ["events", Events.cases],
  ["acks", Acks.cases],
  ["rooms", Rooms.cases],
  ["namespaces", Namespaces.cases],
  ["payloads", Payloads.cases],
  ["resilience", Resilience.cases]
]
