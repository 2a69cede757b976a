/**
 * Fuzzing at length: `npm run fuzz -- [--frames N] [--connections N] [--seed N]`. Codecs first, then the whole server over both transports in
 * memory. Ends with 1 and the seed when something breaks; the same seed repeats it.
 */
import * as Effect from "effect/Effect"
import { parseArgs } from "node:util"
import * as codecs from "../test/fuzz/codecs.ts"
import * as server from "../test/fuzz/server.ts"

const { values } = parseArgs({
  options: {
    frames: { type: "string", default: "1000000" },
    connections: { type: "string", default: "10000" },
    seed: { type: "string", default: "1" }
  }
})

const seed = Number(values.seed)
const began = performance.now()
const since = (): string => `${((performance.now() - began) / 1000).toFixed(1)} s`
const share = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(1)} %`

const codec = codecs.fuzz(seed, Number(values.frames))
console.log(
  `codecs: ${codec.frames} frames, ${codec.decoded} packets decoded (${share(codec.decoded, codec.frames)} of the frames), ${codec.failed} refused; ${since()}`
)

/** Servers of so many connections each, so that what a server keeps is looked at many times. */
const each = 2000
const total = { connections: 0, frames: 0, closed: 0, handled: 0 }
let heap = 0
for (let at = 0; at < Number(values.connections); at += each) {
  const stats = await Effect.runPromise(server.fuzz(seed + at, Math.min(each, Number(values.connections) - at)))
  total.connections += stats.connections
  total.frames += stats.frames
  total.closed += stats.closed
  total.handled += stats.handled
  globalThis.gc?.()
  heap = process.memoryUsage().heapUsed
}
console.log(
  `server: ${total.connections} connections, ${total.frames} frames, ${total.closed} connections closed by the server, ${total.handled} events handled; ${(heap / 2 ** 20).toFixed(1)} MiB of heap at the end; ${since()}`
)
