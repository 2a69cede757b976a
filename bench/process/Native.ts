/**
 * µWebSockets.js is a binary for some versions of Node, not for that of this project. Where another Node on the PATH can load it, its server
 * runs there, bundled to JavaScript, since that Node may not read TypeScript; nothing else of the run does.
 */
import { buildSync } from "esbuild"
import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { createRequire } from "node:module"
import { delimiter, dirname, join } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import type { Server } from "../servers/Server.ts"

const name = "@trufflesuite/uws-js-unofficial"

// Its JavaScript fallback has the same functions and would measure something else, so look for the binary itself.
const probe = (path: string) =>
  `require(${JSON.stringify(path)});process.exit(Object.keys(require.cache).some((file) => /uws_[^/\\\\]+\\.node$/.test(file)) ? 0 : 1)`

const bundle = (from: string, to: string): URL => {
  buildSync({
    entryPoints: [fileURLToPath(new URL(from, import.meta.url))],
    outfile: to,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    external: [name],
    logLevel: "error"
  })
  return pathToFileURL(to)
}

/** The server, or why there is none. */
export const server = (): Server | string => {
  let path: string
  try {
    path = createRequire(import.meta.url).resolve(name)
  } catch {
    return "µWebSockets.js: not loaded here: its package is not installed"
  }
  const candidates = [
    process.execPath,
    ...(process.env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, "node"))
  ].filter((file) => existsSync(file))
  const node = candidates.find((file) => spawnSync(file, ["-e", probe(path)], { stdio: "ignore" }).status === 0)
  if (node === undefined) {
    return `µWebSockets.js: not loaded here: its binary is for other versions of Node than ${process.versions.node}, and no other on the PATH loads it`
  }
  const version = spawnSync(node, ["--version"]).stdout.toString().trim()
  // Inside of node_modules, from where the package is found.
  const folder = join(dirname(path), "../../../.cache/effect-socketio-bench")
  return {
    name: "uws",
    about: `µWebSockets.js, native, no logic; on Node ${version}, where its binary loads`,
    features: ["websocket"],
    // Memory of another Node says nothing about this one's.
    only: [
      "echo",
      "ack",
      "binary-1k",
      "binary-100k",
      "echo-single",
      "broadcast",
      "broadcast-turn",
      "broadcast-saturated",
      "broadcast-5000",
      "broadcast-rooms",
      "connect"
    ],
    module: bundle("../servers/uws.ts", join(folder, "uws.mjs")).href,
    runtime: { node, host: bundle("./server.ts", join(folder, "server.mjs")) }
  }
}
