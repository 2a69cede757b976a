import { describe } from "@effect/vitest"
import { vi } from "vitest"
import { chapters } from "./programs/Chapters.ts"
import { page } from "./programs/Page.ts"
import { run } from "./Run.ts"

// The same programs on the packages that they were written for: what they assert is true of Socket.IO, not only of ours.
vi.mock("effect-socketio/facade", async () => await import("socket.io"))
vi.mock("effect-socketio/facade/client", async () => await import("socket.io-client"))

const packages = { server: "socket.io", client: "socket.io-client" }

for (const [chapter, programs] of Object.entries({ ...chapters, page })) {
  describe(`programs of the seed on the official packages: ${chapter}`, () => run(packages, programs))
}
