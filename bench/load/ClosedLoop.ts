/** Request and answer with a fixed number in flight on each connection: every answer starts the next request. */
import { type Driver, partOf, type Target } from "../Scenario.ts"
import * as Client from "./Client.ts"
import * as Frame from "./Frame.ts"

/** What a closed loop sends and expects. */
export interface Options {
  readonly connections: number
  readonly inFlight: number
  /** The text of the request for slot `0` to `inFlight - 1`. */
  readonly request: (slot: number) => string
  /** The answer to the request of that slot, byte for byte. */
  readonly response: (slot: number) => string
  /** The slot that an answer belongs to; absent where all slots have the same text. */
  readonly slotOf?: ((buffer: Buffer, start: number) => number) | undefined
  /**
   * How requests that become due together are written: `each` in a system call of its own, as clients write them; `burst` in one,
   * which is the best case for a server that batches what one read brought.
   */
  readonly writes: "each" | "burst"
  /** Binary attachment of each request and each answer. */
  readonly attachment?: Uint8Array | undefined
  /** Operations that it takes until the server's code is compiled, however slow the machine is. Default 10,000. */
  readonly warmUp?: number | undefined
  /** Keeps the time of each answer; meaningful with one in flight. */
  readonly latency?: boolean | undefined
}

/** Connects this process's share of the clients. */
export const prepare = async ({ port, share }: Target, options: Options): Promise<Driver> => {
  const { inFlight, slotOf } = options
  const connections = partOf(options.connections, share)
  const attachment = options.attachment === undefined ? undefined : Buffer.from(options.attachment)
  const tail = attachment === undefined ? Buffer.alloc(0) : Frame.binary(attachment)
  const requests = Array.from({ length: inFlight }, (_, slot) =>
    Buffer.concat([Frame.text(options.request(slot)), tail])
  )
  const responses = Array.from({ length: inFlight }, (_, slot) => Buffer.from(options.response(slot)))
  const size = requests[0]!.length
  const all = Buffer.concat(requests)
  const clients = await Client.shared(connections, port)

  const starters: Array<() => void> = []
  let checking = true
  let running = false
  let operations = 0
  let pending = 0
  let finished: () => void = () => {}
  let latencies: Array<number> | undefined

  for (const client of clients) {
    let answered = 0
    let sentAt = 0
    const slots: Array<number> = []
    client.onPacket = (buffer, start, end) => {
      const slot = slotOf === undefined ? 0 : slotOf(buffer, start)
      const expected = responses[slot]
      // Always the length, which is nearly free; every byte while warming up.
      if (expected === undefined || end - start !== expected.length) {
        throw new Error(`unexpected answer: ${buffer.toString("utf8", start, end)}`)
      }
      if (checking && buffer.compare(expected, 0, expected.length, start, end) !== 0) {
        throw new Error(`another answer than asked for: ${buffer.toString("utf8", start, end)}`)
      }
      if (attachment === undefined) answered++
      if (slotOf !== undefined) slots.push(slot)
    }
    client.onAttachment = (buffer, start, end) => {
      if (
        attachment === undefined ||
        end - start !== attachment.length ||
        (checking && buffer.compare(attachment, 0, attachment.length, start, end) !== 0)
      ) {
        throw new Error(`unexpected attachment of ${end - start} bytes`)
      }
      answered++
    }
    client.onTurn = () => {
      if (answered === 0) return
      const count = answered
      answered = 0
      operations += count
      if (latencies !== undefined && sentAt > 0) latencies.push(performance.now() - sentAt)
      if (!running) {
        slots.length = 0
        pending -= count
        if (pending === 0) finished()
        return
      }
      sentAt = options.latency === true ? performance.now() : 0
      if (options.writes === "each") {
        if (slotOf === undefined) for (let i = 0; i < count; i++) client.write(requests[0]!)
        else for (const slot of slots) client.write(requests[slot]!)
      } else if (slotOf === undefined) {
        client.write(all.subarray(0, count * size))
      } else {
        client.write(Buffer.concat(slots.map((slot) => requests[slot]!)))
      }
      slots.length = 0
    }
    starters.push(() => {
      sentAt = options.latency === true ? performance.now() : 0
      client.write(all)
    })
  }

  const run = (milliseconds: number, atLeast = 0): Promise<number> =>
    new Promise((resolve) => {
      operations = 0
      running = true
      pending = connections * inFlight
      finished = () => resolve(operations)
      for (const start of starters) start()
      const stop = () => {
        if (operations < atLeast) setTimeout(stop, 20)
        else running = false
      }
      setTimeout(stop, milliseconds)
    })

  return {
    warmUp: async (scale) => {
      checking = true
      await run(200 * scale)
      checking = false
      await run(500 * scale, options.warmUp ?? 10_000)
    },
    measure: async (milliseconds) => {
      latencies = options.latency === true ? [] : undefined
      const operations = await run(milliseconds)
      return { operations, latencies: latencies === undefined ? undefined : Float64Array.from(latencies) }
    },
    settle: () => Promise.resolve()
  }
}
