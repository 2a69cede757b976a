/** Runs programs of the seed as tests. */
import { afterAll, beforeAll, it } from "@effect/vitest"
import { listenOnLoopback } from "./Loopback.ts"
import { type Packages, type Programs, Scene } from "./Scene.ts"

/** One test for each program; `untrue` are those that these packages fail. */
export const run = (packages: Packages, programs: Programs, untrue: Readonly<Record<string, true>> = {}): void => {
  let restore = (): void => {}
  beforeAll(() => {
    restore = listenOnLoopback()
  })
  afterAll(() => restore())
  for (const [name, program] of Object.entries(programs)) {
    const check = name in untrue ? it.fails : it
    check(name, async () => {
      const scene = new Scene(packages)
      try {
        await program(scene)
      } finally {
        await scene.close()
      }
    })
  }
}
