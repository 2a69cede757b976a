/**
 * Bundles the plain client for browsers: `npm run bundle`, also part of `npm run build`. Into `dist/client/`, where the server finds what
 * it hands out below `/socket.io/`; each file with its source map.
 *
 * | file | form |
 * | --- | --- |
 * | `socket.io.js` | classic script that defines `io`, readable |
 * | `socket.io.min.js` | the same, minified |
 * | `socket.io.esm.min.js` | ES module with the exports of `effect-socketio/facade/client` |
 * | `socket.io.msgpack.min.js` | classic script whose default parser is msgpack |
 */
import { build, type Plugin } from "esbuild"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { minify } from "terser"

const root = fileURLToPath(new URL("..", import.meta.url))

/** Where the bundles are put. */
export const folder: string = join(root, "dist/client")

/** What browsers must know; all did by the spring of 2022. */
const target = "es2022"

const entry = join(root, "src/facade/client.ts")

// `var` in a script makes a property of the window; so does this, and in workers too.
const script = `import { io } from ${JSON.stringify(entry)}\nglobalThis.io = io`
const module = `export * from ${JSON.stringify(entry)}\nexport { default } from ${JSON.stringify(entry)}`

interface Bundle {
  readonly file: string
  readonly format: "iife" | "esm"
  readonly minified: boolean
  readonly msgpack: boolean
}

const bundles: ReadonlyArray<Bundle> = [
  { file: "socket.io.js", format: "iife", minified: false, msgpack: false },
  { file: "socket.io.min.js", format: "iife", minified: true, msgpack: false },
  { file: "socket.io.esm.min.js", format: "esm", minified: true, msgpack: false },
  { file: "socket.io.msgpack.min.js", format: "iife", minified: true, msgpack: true }
]

/** The default parser is a module of its own: another one takes its place. */
const withMsgpack: Plugin = {
  name: "msgpack",
  setup(build) {
    build.onResolve({ filter: /\/DefaultParser\.ts$/ }, ({ resolveDir }) => ({
      path: join(resolveDir, "MsgpackParser.ts")
    }))
  }
}

/** One file, its source map, and what of which source is in it. */
export interface Built {
  readonly file: string
  readonly code: string
  readonly map: string
  /** Bytes of each source in the bundle before terser, largest first. */
  readonly inputs: ReadonlyArray<readonly [path: string, bytes: number]>
}

const version = String((JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: unknown }).version)

const bundle = async ({ file, format, minified, msgpack }: Bundle): Promise<Built> => {
  const { metafile, outputFiles } = await build({
    stdin: { contents: format === "iife" ? script : module, resolveDir: root, loader: "ts" },
    outfile: join(folder, file),
    bundle: true,
    write: false,
    metafile: true,
    sourcemap: "external",
    format,
    target,
    minify: minified,
    platform: "browser",
    conditions: ["source"],
    plugins: msgpack ? [withMsgpack] : [],
    banner: { js: `/*! effect-socketio ${version}, MIT license */` },
    legalComments: "inline",
    absWorkingDir: root,
    logLevel: "error"
  })
  const [map, code] = outputFiles.map(({ text }) => text) as [string, string]
  const inputs = Object.values(metafile.outputs)
    .flatMap((output) => Object.entries(output.inputs))
    .map(([path, { bytesInOutput }]) => [path, bytesInOutput] as const)
    .filter(([, bytes]) => bytes > 0)
    .sort(([, a], [, b]) => b - a)
  if (!minified) return { file, code: `${code}//# sourceMappingURL=${file}.map\n`, map, inputs }
  // esbuild keeps what it cannot prove to be without effect, and terser finds some shorter forms: together 4 % less.
  const result = await minify(
    { [file]: code },
    {
      ecma: 2020,
      // A script's names are global unless they stay in their function.
      module: format === "esm",
      compress: { passes: 3 },
      format: { comments: /^!/ },
      sourceMap: { content: map, url: `${file}.map`, filename: file }
    }
  )
  if (typeof result.code !== "string" || typeof result.map !== "string") throw new Error(`terser gave no ${file}`)
  return { file, code: result.code, map: result.map, inputs }
}

/** All bundles, as they would be written. */
export const bundleAll = (): Promise<ReadonlyArray<Built>> => Promise.all(bundles.map(bundle))

/** Writes the bundles. */
export const writeAll = async (): Promise<ReadonlyArray<Built>> => {
  const built = await bundleAll()
  mkdirSync(folder, { recursive: true })
  for (const { file, code, map } of built) {
    writeFileSync(join(folder, file), code)
    writeFileSync(join(folder, `${file}.map`), map)
  }
  return built
}

if (import.meta.main) {
  for (const { file, code } of await writeAll())
    console.log(`dist/client/${file}: ${code.length.toLocaleString("en-US")} bytes`)
}
