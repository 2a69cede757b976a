import { describe } from "@effect/vitest"
import { chapters } from "./programs/Chapters.ts"
import { underFastify } from "./programs/Fastify.ts"
import { run } from "./Run.ts"

const packages = { server: "effect-socketio/facade", client: "effect-socketio/facade/client" }

for (const [chapter, programs] of Object.entries({ ...chapters, Fastify: underFastify })) {
  describe(`programs of the seed on the facade: ${chapter}`, () => run(packages, programs))
}
