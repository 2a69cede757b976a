/**
 * Tells callers what became of their messages in the order of the calls, in whatever order it becomes known.
 */
import type { Published } from "./ClusterBus.ts"

/** A message whose caller is to be told. */
export interface Completion {
  /** @internal */ readonly done: (published: Published) => void
  /** @internal */ published: Published | undefined
}

/** Completions in the order of the calls. */
export class Completions {
  readonly #queue: Array<Completion> = []
  #head = 0
  #telling = false

  /** How many callers have not been told. */
  get size(): number {
    return this.#queue.length - this.#head
  }

  /** A message is on its way. */
  add(done: (published: Published) => void): Completion {
    const completion: Completion = { done, published: undefined }
    this.#queue.push(completion)
    return completion
  }

  /** Whether nobody who called before is still to be told. */
  isNext(completion: Completion): boolean {
    return this.#queue[this.#head] === completion
  }

  /** It is known what became of it; only what is said first counts. */
  settle(completion: Completion, published: Published): void {
    if (completion.published !== undefined) return
    completion.published = published
    // A caller may publish again while it is told.
    if (this.#telling) return
    this.#telling = true
    for (;;) {
      const next = this.#queue[this.#head]
      if (next?.published === undefined) break
      this.#head++
      next.done(next.published)
    }
    this.#telling = false
    if (this.#head !== this.#queue.length && this.#head <= 1024) return
    this.#queue.splice(0, this.#head)
    this.#head = 0
  }

  /** Nothing more will become known. */
  settleAll(published: Published): void {
    for (const completion of this.#queue.slice(this.#head)) this.settle(completion, published)
  }
}
