/**
 * Events that carry a `Blob` or `File`: these can only be read asynchronously, and whatever is emitted meanwhile must not overtake
 * them.
 */
import * as SocketBinary from "../../protocol/SocketBinary.ts"

/** Tells that data has to be read first; also what codecs answer with. */
export const isUnread = (failure: { readonly message: string }): boolean => failure.message === SocketBinary.blobMessage

const read = async (value: unknown, depth: number, unwrap: boolean): Promise<unknown> => {
  // What is nested too deep, or cyclic, is for the codec to refuse.
  if (typeof value !== "object" || value === null || depth > SocketBinary.maxDepth) return value
  if (SocketBinary.isBinary(value) || value instanceof Date) return value
  if (Array.isArray(value)) return readAll(value, depth)
  if (unwrap && SocketBinary.hasToJson(value)) return read(value.toJSON(), depth + 1, false)
  const keys = Object.keys(value)
  if (keys.length === 0 && SocketBinary.isBlob(value)) return (value as Blob).arrayBuffer()
  const items = await readAll(Object.values(value), depth)
  return Object.fromEntries(keys.map((key, i) => [key, items[i]]))
}

const readAll = async (values: ReadonlyArray<unknown>, depth: number): Promise<Array<unknown>> => {
  const items: Array<unknown> = []
  for (const value of values) items.push(await read(value, depth + 1, true))
  return items
}

/** A copy of the arguments with the content of each `Blob` in its place. Fails when one cannot be read. */
export const readBlobs = (data: ReadonlyArray<unknown>): Promise<ReadonlyArray<unknown>> => readAll(data, 0)

/** Something to send that may have to be read first. */
export interface Unread {
  readonly data: ReadonlyArray<unknown>
  /** Sends it, or answers that it has to be read. */
  send(data: ReadonlyArray<unknown>): "done" | "unread"
  /** It could not be read or sent. */
  fail(error: unknown): void
}

/** What waits behind a `Blob`, in order. */
export class BlobQueue {
  #items: Array<Unread> = []
  #running = false

  /** Whether something waits: what comes next has to wait too. */
  get busy(): boolean {
    return this.#running
  }

  add(item: Unread): void {
    this.#items.push(item)
    if (!this.#running) void this.#run()
  }

  async #run(): Promise<void> {
    this.#running = true
    for (let item = this.#items.shift(); item !== undefined; item = this.#items.shift()) {
      try {
        if (item.send(item.data) === "unread") item.send(await readBlobs(item.data))
      } catch (error) {
        item.fail(error)
      }
    }
    this.#running = false
  }
}
