import { describe } from "@effect/vitest"
import { vi } from "vitest"
import { page } from "./programs/Page.ts"
import { run } from "./Run.ts"

// What the export condition `browser` chooses.
vi.mock("#client-platform", async () => await import("../../src/transport/BrowserPlatform.ts"))

describe("programs of the seed on the facade: pages", () => {
  run({ server: "effect-socketio/facade", client: "effect-socketio/facade/client" }, page)
})
