import { assert, describe, it } from "@effect/vitest"
import { existsSync, readFileSync } from "node:fs"
import { type Block, blocks } from "./Blocks.ts"
import { chapters } from "./programs/Chapters.ts"
import { underFastify } from "./programs/Fastify.ts"
import { page } from "./programs/Page.ts"
import { blocksOf, callsOf, missing } from "./Seed.ts"
import type { Program } from "./Scene.ts"

const root = new URL("../../", import.meta.url)
const seed = new URL("../../../shared/seed/socket.io-notes.md", import.meta.url)
const programs = new Map<string, Program>(
  [...Object.values(chapters), underFastify, page].flatMap((each) => Object.entries(each))
)

/** What a program consists of: itself, and the CommonJS programs that it runs. */
const sourceOf = (program: Program): string => {
  const source = String(program)
  const children = Array.from(source.matchAll(/"([\w-]+\.cjs)"/g), ([, file]) =>
    readFileSync(new URL(`programs/${file}`, import.meta.url), "utf8")
  )
  return [source, ...children].join("\n")
}

/** They run something that is no block of the seed, or a second form of one. */
const extras = new Set([
  "acknowledgement in the other direction",
  "client of a plain WebSocket server",
  "origins that are listed",
  "serverSideEmit that is answered",
  "several middlewares",
  "timeout of the server"
])

describe("the blocks of the seed", () => {
  it("each has one state: run, run with stand-ins, or not a program", () => {
    for (const { heading, ordinal, program, standIns, reason, example } of blocks) {
      const states = [program, reason, example].filter((each) => each !== undefined)
      assert.strictEqual(states.length, 1, `${heading} ${ordinal}`)
      if (standIns !== undefined) assert.isDefined(program ?? example)
      if (example !== undefined) {
        assert.include(readFileSync(new URL(example.file, root), "utf8"), "effect-socketio/facade")
        assert.include(readFileSync(new URL(example.test, root), "utf8"), example.file)
      }
      if (program !== undefined) assert.isTrue(programs.has(program), `${heading} ${ordinal}: ${program}`)
    }
    const used = new Set(blocks.map(({ program }) => program))
    assert.deepStrictEqual(
      [...programs.keys()].filter((name) => !used.has(name) && !extras.has(name)),
      []
    )
    const count = (field: keyof Block): number => blocks.filter((block) => block[field] !== undefined).length
    console.log(
      `seed: ${blocks.length} js and ts blocks: ${count("program") + count("example") - count("standIns")} run, ${count("standIns")} run with named ` +
        `stand-ins, ${count("reason")} not a program; by ${programs.size} programs and ${count("example")} example`
    )
    for (const { heading, ordinal, reason } of blocks) {
      if (reason !== undefined) console.log(`  ${heading} ${ordinal}: not a program: ${reason}`)
    }
  })

  it.skipIf(!existsSync(seed))("are those of the seed", () => {
    const found = blocksOf(readFileSync(seed, "utf8"))
    assert.deepStrictEqual(
      found.map(({ heading, ordinal, sha256 }) => ({ heading, ordinal, sha256 })),
      blocks.map(({ heading, ordinal, sha256 }) => ({ heading, ordinal, sha256 }))
    )
  })

  it.skipIf(!existsSync(seed))("make the same calls in the same order as the programs that run them", () => {
    const different: Array<string> = []
    blocksOf(readFileSync(seed, "utf8")).forEach(({ text, heading, ordinal }, index) => {
      const program = programs.get(blocks[index]?.program ?? "")
      if (program === undefined) return
      const call = missing(callsOf(text), callsOf(sourceOf(program)))
      if (call !== undefined) different.push(`${heading} ${ordinal}: ${call}`)
    })
    assert.deepStrictEqual(different, [])
  })
})

describe("callsOf", () => {
  it("finds methods with names, flags and what is made, without comments", () => {
    assert.deepStrictEqual(
      callsOf(`const io = new Server(0); // io.emit("no")
        io.of("/admin").in('a').emit("x", 1); socket.volatile.emit(\`y\`); const socket = io("https://a.b")`),
      ["new Server()", "of(/admin)", "in(a)", "emit(x)", "volatile", "emit(y)", "io()"]
    )
  })

  it("misses a call in another order", () => {
    assert.strictEqual(missing(["on(a)", "emit(b)"], ["emit(b)", "on(a)"]), "emit(b)")
    assert.isUndefined(missing(["on(a)", "emit(b)"], ["on(a)", "join()", "emit(b)"]))
  })
})
