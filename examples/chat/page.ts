/** The chat's web page: its files, with the program bundled when the server starts, so that nobody has to build it. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Esbuild from "esbuild"
import { readFile } from "node:fs/promises"
import type { RequestListener } from "node:http"

/** The page could not be made. */
export class PageError extends Data.TaggedError("PageError")<{ readonly message: string }> {}

interface File {
  readonly type: string
  readonly body: string | Uint8Array
}

const source = (name: string): URL => new URL(`./page/${name}`, import.meta.url)

const bundle = async (): Promise<Uint8Array> => {
  const result = await Esbuild.build({
    entryPoints: [source("app.ts").pathname],
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    platform: "browser",
    target: "es2022",
    conditions: ["source", "browser"],
    logLevel: "silent"
  })
  return result.outputFiles[0]!.contents
}

const load = Effect.tryPromise({
  try: async (): Promise<ReadonlyMap<string, File>> => {
    const [html, css, script] = await Promise.all([
      readFile(source("index.html")),
      readFile(source("style.css")),
      bundle()
    ])
    return new Map<string, File>([
      ["/", { type: "text/html; charset=utf-8", body: html }],
      ["/style.css", { type: "text/css; charset=utf-8", body: css }],
      ["/app.js", { type: "text/javascript; charset=utf-8", body: script }]
    ])
  },
  catch: (cause) => new PageError({ message: `the page cannot be made: ${String(cause)}` })
})

/** Answers the page's requests, and 404 to all others. */
export const listener: Effect.Effect<RequestListener, PageError> = Effect.map(load, (files) => (request, response) => {
  const file = files.get((request.url ?? "/").split("?")[0]!)
  if (file === undefined || (request.method !== "GET" && request.method !== "HEAD")) {
    response.writeHead(file === undefined ? 404 : 405).end()
    return
  }
  response.writeHead(200, {
    "Content-Type": file.type,
    "Content-Length": Buffer.byteLength(file.body),
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff"
  })
  response.end(request.method === "HEAD" ? undefined : file.body)
})
