/**
 * The bytes of several broadcasts of one turn, joined once for all who get the same.
 *
 * Receivers are flushed one after the other, so remembering the last join is enough: ten broadcasts to five hundred connections are
 * copied together once, not five hundred times.
 */
import type { FrameGroup } from "../protocol/FrameGroup.ts"

/** Longer joins are not remembered: they would stay in memory until the next one. */
const longest = 64 * 1024

/** The last join of one server. */
export class JoinedFrames {
  #groups: ReadonlyArray<FrameGroup> | undefined = undefined
  #bytes: Buffer | undefined = undefined

  /** The bytes of exactly these groups in this order, if they were joined last. */
  find(groups: ReadonlyArray<FrameGroup>): Buffer | undefined {
    const known = this.#groups
    if (known === undefined || known.length !== groups.length) return undefined
    for (let i = 0; i < groups.length; i++) if (known[i] !== groups[i]) return undefined
    return this.#bytes
  }

  /** Remembers a join; `groups` must not change afterwards. */
  remember(groups: ReadonlyArray<FrameGroup>, bytes: Buffer): void {
    if (bytes.byteLength > longest) return
    this.#groups = groups
    this.#bytes = bytes
  }
}
