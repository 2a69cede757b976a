import { assert, describe, it } from "@effect/vitest"
import { build, type Metafile } from "esbuild"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"

const root = fileURLToPath(new URL("..", import.meta.url))

interface Bundle {
  readonly inputs: ReadonlyArray<string>
  readonly externals: ReadonlyArray<string>
  /** Bytes, gzipped at level 9. */
  readonly size: number
}

const bytesInOutput = (metafile: Metafile, input: string): number =>
  Object.values(metafile.outputs).reduce((sum, output) => sum + (output.inputs[input]?.bytesInOutput ?? 0), 0)

/** Bundles a program as a browser's bundler would, and tells what is left of which file. */
const bundle = async (program: string): Promise<Bundle> => {
  const result = await build({
    stdin: { contents: program, resolveDir: root, loader: "ts" },
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    platform: "browser",
    conditions: ["source"],
    metafile: true,
    write: false,
    logLevel: "silent"
  })
  return {
    inputs: Object.keys(result.metafile.inputs).filter((input) => bytesInOutput(result.metafile, input) > 0),
    externals: Object.values(result.metafile.inputs).flatMap(({ imports }) =>
      imports.filter((edge) => edge.external === true).map((edge) => edge.path)
    ),
    size: gzipSync(result.outputFiles[0]!.contents, { level: 9 }).length
  }
}

const connectOnly = `
import { connect } from "effect-socketio/client"
import * as Effect from "effect/Effect"
export const run = (url) => Effect.runFork(Effect.scoped(Effect.flatMap(connect("/chat", { url }), (chat) => chat.emit("hello"))))
`

const everything = `export * from "effect-socketio/client"`

const folderOf = (input: string): string => /^src\/([^/]+)\//.exec(input)?.[1] ?? ""

describe("the client in a browser's bundle", () => {
  it("has no Node code and nothing of the server", async () => {
    const { externals, inputs } = await bundle(everything)
    assert.deepStrictEqual(externals, [])
    const ours = inputs.filter((input) => input.startsWith("src/"))
    assert.isAbove(ours.length, 10)
    const allowed = new Set(["client", "transport", "protocol", "runtime", "contract"])
    assert.deepStrictEqual(
      ours.filter((input) => !allowed.has(folderOf(input))),
      []
    )
    assert.deepStrictEqual(
      inputs.filter((input) => /node_modules\/(?:ws|@effect\/platform-node|socket\.io|engine\.io)/.test(input)),
      []
    )
  })

  it("pays for Stream, Layer, Schedule and Schema only when it uses them", async () => {
    const { inputs } = await bundle(connectOnly)
    for (const module of ["Stream", "Layer", "Schema", "SchemaAST", "Schedule", "Channel", "Metric"]) {
      assert.deepStrictEqual(
        inputs.filter((input) => input.endsWith(`/effect/dist/${module}.js`)),
        [],
        module
      )
    }
  })

  it("connect and emit alone stay small", async () => {
    const { size } = await bundle(connectOnly)
    // The official client is 12.9 kB without Effect, whose core is 9.4 kB of this.
    assert.isBelow(size, 34_500, `${size} bytes`)
  })

  it("the test itself sees what it forbids", async () => {
    const { inputs } = await bundle(
      `import * as Stream from "effect/Stream"; export const a = Stream.runDrain(Stream.make(1))`
    )
    assert.isNotEmpty(inputs.filter((input) => input.endsWith("/effect/dist/Stream.js")))
  })
})
