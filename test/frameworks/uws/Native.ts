/**
 * µWebSockets.js on a Node that it has a binary for. The one from npm has them up to Node 20, which is not the Node of these tests but
 * the one of Debian and of CI; so the sources are bundled for it.
 */
import { buildSync } from "esbuild"
import { execFileSync } from "node:child_process"
import { existsSync } from "node:fs"
import { delimiter, join } from "node:path"

const root = join(import.meta.dirname, "../../..")

const hasBinary = (node: string): boolean => {
  try {
    const print = "console.log(process.platform + '_' + process.arch + '_' + process.versions.modules)"
    const built = execFileSync(node, ["-e", print], { encoding: "utf8" }).trim()
    return existsSync(join(root, `node_modules/@trufflesuite/uws-js-unofficial/dist/uws_${built}.node`))
  } catch {
    return false
  }
}

/** That Node, where the machine has one. */
export const node: string | undefined = (process.env["PATH"] ?? "")
  .split(delimiter)
  .map((folder) => join(folder, "node"))
  .find((file) => existsSync(file) && hasBinary(file))

if (node === undefined)
  console.log("skipped: µWebSockets.js has no binary for a Node of this machine; Node 20 would do")

/** Bundles a program; gives the file. */
export const bundle = (entry: string): string => {
  // Two folders below the root as `src/node` is, so that the client's files are found.
  const outfile = join(root, "node_modules/.uws", `${entry.replaceAll("/", "-")}.mjs`)
  buildSync({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    conditions: ["source"],
    external: ["@trufflesuite/uws-js-unofficial"],
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url)' },
    logLevel: "error"
  })
  return outfile
}
