/**
 * Size of the browser clients beside the official client's own bundles: `npm run size [-- --parts]`. Ours: the bundles of
 * `scripts/bundle.ts`, and what a program of the Effect client carries, minified by esbuild for ES2022 and the browser, from source.
 * gzip -9 and brotli at its best, as a static file server would send them.
 */
import { build } from "esbuild"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { brotliCompressSync, constants, gzipSync } from "node:zlib"
import { bundleAll } from "./bundle.ts"

const root = fileURLToPath(new URL("..", import.meta.url))
const official = join(root, "node_modules/socket.io-client/dist")

interface Entry {
  readonly title: string
  /** Files below the root without which there is nothing to bundle. */
  readonly needs: ReadonlyArray<string>
  readonly code: string
}

const entries: ReadonlyArray<Entry> = [
  {
    title: "effect-socketio/client, all exports",
    needs: ["src/client/index.ts"],
    code: 'export * from "./src/client/index.ts"'
  },
  {
    title: "effect-socketio/client, connect only",
    needs: ["src/client/index.ts", "src/client/SocketClient.ts"],
    code: 'export { connect } from "./src/client/SocketClient.ts"'
  },
  {
    title: "effect-socketio/client and contract, all exports",
    needs: ["src/client/index.ts", "src/contract/index.ts"],
    code: 'export * from "./src/client/index.ts"\nexport * from "./src/contract/index.ts"'
  }
]

interface Row {
  readonly title: string
  readonly bytes: Uint8Array | undefined
  /** What it is compared with; the official ES module where nothing else is said. */
  readonly official?: Uint8Array
  readonly parts: ReadonlyArray<readonly [name: string, bytes: number]>
}

const bundle = async (entry: Entry): Promise<Row> => {
  if (!entry.needs.every((file) => existsSync(join(root, file))))
    return { title: entry.title, bytes: undefined, parts: [] }
  const { outputFiles, metafile } = await build({
    stdin: { contents: entry.code, resolveDir: root, loader: "ts" },
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: "esm",
    target: "es2022",
    platform: "browser",
    conditions: ["source", "browser"],
    legalComments: "none",
    absWorkingDir: root,
    logLevel: "error"
  })
  const [output] = Object.values(metafile.outputs)
  const node = Object.keys(metafile.inputs).filter((input) => input.startsWith("src/node/"))
  if (node.length > 0) throw new Error(`Node code in the browser bundle: ${node.join(", ")}`)
  return {
    title: entry.title,
    bytes: outputFiles[0]!.contents,
    parts: Object.entries(output!.inputs)
      .map(([name, { bytesInOutput }]) => [name, bytesInOutput] as const)
      .filter(([, bytes]) => bytes > 0)
      .sort(([, a], [, b]) => b - a)
  }
}

const rows: Array<Row> = []
const bundles = await bundleAll()
for (const file of ["socket.io.esm.min.js", "socket.io.min.js", "socket.io.msgpack.min.js"]) {
  const bytes = readFileSync(join(official, file))
  rows.push({ title: `socket.io-client ${file}`, bytes, official: bytes, parts: [] })
  const built = bundles.find((each) => each.file === file)
  if (built === undefined) throw new Error(`no bundle ${file}`)
  rows.push({
    title: `effect-socketio  ${file}`,
    bytes: new TextEncoder().encode(built.code),
    official: bytes,
    parts: built.inputs
  })
}
for (const entry of entries) rows.push(await bundle(entry))

const gzip = (bytes: Uint8Array) => gzipSync(bytes, { level: 9 }).length
const brotli = (bytes: Uint8Array) =>
  brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }).length

const base = gzip(rows[0]!.bytes!)
const lines = rows.map(({ title, bytes, official }) =>
  bytes === undefined
    ? [title, "not there yet", "", "", ""]
    : [
        title,
        ...[bytes.length, gzip(bytes), brotli(bytes)].map((size) => size.toLocaleString("en-US")),
        (gzip(bytes) / (official === undefined ? base : gzip(official))).toFixed(2)
      ]
)
const table = [["bytes", "min", "gzip", "brotli", "gzip against official"], ...lines]
const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)))
const print = (row: ReadonlyArray<string>) =>
  console.log(
    `| ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(" | ")} |`
  )
print(table[0]!)
console.log(`| ${widths.map((width, i) => (i === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`)).join(" | ")} |`)
for (const line of lines) print(line)

if (process.argv.includes("--parts")) {
  for (const { title, parts } of rows) {
    if (parts.length === 0) continue
    console.log(`\n${title}: bytes of each module in the minified bundle`)
    for (const [name, bytes] of parts.slice(0, 30)) console.log(`${String(bytes).padStart(8)}  ${name}`)
  }
}
