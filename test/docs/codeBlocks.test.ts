/** The code of the documentation compiles as shown. */
import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { basename, join } from "node:path"

const root = join(import.meta.dirname, "../..")
const cache = join(root, "node_modules/.cache")

const documents = [
  join(root, "README.md"),
  ...readdirSync(join(root, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => join(root, "docs", name))
]

/** The `ts` blocks that name their file in the first line: `// chat.ts` or `// chat.ts: what it is`. */
const blocks = (markdown: string): ReadonlyArray<{ readonly file: string; readonly code: string }> =>
  [...markdown.matchAll(/^```ts\n\/\/ ([\w./-]+\.ts)\b.*\n([\s\S]*?)^```$/gm)].map(([, file, code]) => ({
    file: file!,
    code: code!
  }))

const compile = (files: ReadonlyArray<{ readonly file: string; readonly code: string }>): string => {
  mkdirSync(cache, { recursive: true })
  const folder = mkdtempSync(join(cache, "docs-"))
  try {
    for (const { file, code } of files) writeFileSync(join(folder, file), code)
    writeFileSync(
      join(folder, "tsconfig.json"),
      JSON.stringify({
        extends: join(root, "tsconfig.json"),
        compilerOptions: { types: ["node"], typeRoots: [join(root, "node_modules/@types")] },
        include: ["."]
      })
    )
    return spawnSync(join(root, "node_modules/.bin/tsc"), ["--noEmit", "-p", folder], { encoding: "utf8" }).stdout
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

describe("code blocks of the documentation", () => {
  for (const path of documents) {
    const files = blocks(readFileSync(path, "utf8"))
    if (files.length === 0) continue
    it(`${basename(path)}: ${files.map(({ file }) => file).join(", ")}`, () => {
      assert.strictEqual(compile(files), "")
    })
  }

  it("a block that does not compile is found", () => {
    assert.include(compile([{ file: "wrong.ts", code: "export const n: number = 'text'\n" }]), "TS2322")
  })
})
