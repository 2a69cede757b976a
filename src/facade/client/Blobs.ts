/**
 * Events that carry a `Blob` or `File`: these can only be read asynchronously, and whatever is emitted meanwhile must not overtake
 * them.
 */
import * as SocketBinary from "../../protocol/SocketBinary.ts"

/** Tells that data has to be read first; also what codecs answer with. */
export const isUnread = (failure: { readonly message: string }): boolean => failure.message === SocketBinary.blobMessage

/** Whether there is a `Blob` in the data. What is cyclic is for the encoder to refuse. */
export const hasBlob = (value: unknown, outer: ReadonlySet<unknown> = new Set()): boolean => {
  if (!isSearched(value, outer)) return false
  const items = Object.values(value)
  const within = new Set(outer).add(value)
  return (items.length === 0 && SocketBinary.isBlob(value)) || items.some((item) => hasBlob(item, within))
}

const isSearched = (value: unknown, outer: ReadonlySet<unknown>): value is object =>
  typeof value === "object" &&
  value !== null &&
  !SocketBinary.isBinary(value) &&
  !(value instanceof Date) &&
  outer.size <= SocketBinary.maxDepth &&
  !outer.has(value)

const read = async (value: unknown, outer: ReadonlySet<unknown>, unwrap: boolean): Promise<unknown> => {
  if (!isSearched(value, outer)) return value
  const within = new Set(outer).add(value)
  if (unwrap && SocketBinary.hasToJson(value)) return read(value.toJSON(), within, false)
  if (Array.isArray(value)) return readAll(value, within)
  const keys = Object.keys(value)
  if (keys.length === 0 && SocketBinary.isBlob(value)) return (value as Blob).arrayBuffer()
  const items = await readAll(Object.values(value), within)
  return Object.fromEntries(keys.map((key, i) => [key, items[i]]))
}

const readAll = async (values: ReadonlyArray<unknown>, outer: ReadonlySet<unknown>): Promise<Array<unknown>> => {
  const items: Array<unknown> = []
  for (const value of values) items.push(await read(value, outer, true))
  return items
}

/** A copy of the arguments with the content of each `Blob` in its place. Fails when one cannot be read. */
export const readBlobs = (data: ReadonlyArray<unknown>): Promise<ReadonlyArray<unknown>> => readAll(data, new Set())

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
