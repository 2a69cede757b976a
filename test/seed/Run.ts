/** Runs programs of the seed as tests. */
import { afterAll, beforeAll, it } from "@effect/vitest"
import { listenOnLoopback } from "./Loopback.ts"
import { type Packages, type Programs, Scene } from "./Scene.ts"

/** One test for each program. */
export const run = (packages: Packages, programs: Programs): void => {
  let restore = (): void => {}
  beforeAll(() => {
    restore = listenOnLoopback()
  })
  afterAll(() => restore())
  for (const [name, program] of Object.entries(programs)) {
    it(name, async () => {
      const scene = new Scene(packages)
      try {
        await program(scene)
      } finally {
        await scene.close()
      }
    })
  }
}
