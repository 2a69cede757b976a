import { describe } from "@effect/vitest"
import { vi } from "vitest"
import { chapters } from "./programs/Chapters.ts"
import { page } from "./programs/Page.ts"
import { run } from "./Run.ts"

// The same programs on the packages that they were written for: what they assert is true of Socket.IO, not only of ours.
vi.mock("effect-socketio/facade", async () => await import("socket.io"))
vi.mock("effect-socketio/facade/client", async () => await import("socket.io-client"))

const packages = { server: "socket.io", client: "socket.io-client" }

/** Where the official packages do not do what the seed says of them. */
const untrue: Readonly<Record<string, true>> = {
  // Its volatile events wait for the connection when the last transport was writable to the end: the server gets them late.
  "volatile through a restart of the server": true
}

for (const [chapter, programs] of Object.entries({ ...chapters, page })) {
  describe(`programs of the seed on the official packages: ${chapter}`, () => run(packages, programs, untrue))
}
