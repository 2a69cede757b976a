/**
 * The failure of a question whose answer did not come, the same on both ends.
 */
import * as Data from "effect/Data"

/** The peer did not answer in time. `timeout` is in milliseconds. */
export class AckTimeout extends Data.TaggedError("AckTimeout")<{
  readonly event: string
  readonly timeout: number
}> {
  override get message(): string {
    return `no answer to "${this.event}" within ${this.timeout} ms`
  }
}
