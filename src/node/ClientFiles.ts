/**
 * The client's bundles, as a server hands them out: `/socket.io/socket.io.js` and so on.
 */
import { readFile } from "node:fs/promises"
import { readFileSync } from "node:fs"
import type { IncomingMessage, ServerResponse } from "node:http"
import { promisify } from "node:util"
import { brotliCompress, deflate, gzip } from "node:zlib"
import * as ContentEncoding from "./ContentEncoding.ts"

/** The files, each with its source map. */
const bundles = ["socket.io.js", "socket.io.min.js", "socket.io.esm.min.js", "socket.io.msgpack.min.js"]

const names: ReadonlySet<string> = new Set(bundles.flatMap((name) => [name, `${name}.map`]))

// The same place from `src/node` and from `dist/node`.
const folder = new URL("../../dist/client/", import.meta.url)

const encodings = ["br", "gzip", "deflate"] as const

const encoders = { br: promisify(brotliCompress), gzip: promisify(gzip), deflate: promisify(deflate) }

/** The file that a URL below the path names; `undefined` where it names none. */
export const nameOf = (url: string, path: string): string | undefined => {
  const prefix = `${path.replace(/\/$/, "")}/`
  if (!url.startsWith(prefix)) return undefined
  const name = url.slice(prefix.length).split("?", 1)[0]!
  return names.has(name) ? name : undefined
}

let version: string | undefined

/** The strong ETag of all files: the version of this package. */
export const etag = (): string => {
  if (version === undefined) {
    const manifest: unknown = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"))
    version = String((manifest as { readonly version?: unknown }).version)
  }
  return `"${version}"`
}

const isCurrent = (header: string | undefined): boolean => {
  if (header === undefined) return false
  const current = etag()
  return header.split(",").some((tag) => tag.trim().replace(/^W\//, "") === current)
}

/** What a client is answered. */
export interface FileAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | undefined
}

/** Contents that were read, by name and encoding; compressed once. */
const contents = new Map<string, Promise<Uint8Array>>()

const contentOf = (name: string, encoding: (typeof encodings)[number] | undefined): Promise<Uint8Array> => {
  const key = `${encoding ?? "identity"} ${name}`
  let content = contents.get(key)
  if (content === undefined) {
    content = readFile(new URL(name, folder)).then((bytes) =>
      encoding === undefined ? bytes : encoders[encoding](bytes)
    )
    contents.set(key, content)
    // Whoever builds the bundles later must not have to restart.
    content.catch(() => contents.delete(key))
  }
  return content
}

const missing: FileAnswer = {
  status: 404,
  headers: { "Content-Type": "text/plain; charset=utf-8" },
  body: new TextEncoder().encode("the client's files are not built: npm run build\n")
}

/** Answers a request for a file of {@link nameOf}. */
export const answer = async (name: string, request: Pick<IncomingMessage, "headers">): Promise<FileAnswer> => {
  const common = { "Cache-Control": "public, max-age=0", ETag: etag() }
  if (isCurrent(request.headers["if-none-match"])) return { status: 304, headers: common, body: undefined }
  const encoding = ContentEncoding.preferred(request.headers["accept-encoding"], encodings)
  try {
    const body = await contentOf(name, encoding)
    const type = name.endsWith(".map") ? "json" : "javascript"
    const headers = { ...common, "Content-Type": `application/${type}; charset=utf-8`, Vary: "Accept-Encoding" }
    return {
      status: 200,
      headers: encoding === undefined ? headers : { ...headers, "Content-Encoding": encoding },
      body
    }
  } catch {
    return missing
  }
}

/** Answers with it. Headers that middleware has set stay. */
export const serve = (name: string, request: IncomingMessage, response: ServerResponse): void => {
  void answer(name, request).then(({ body, headers, status }) => {
    if (response.headersSent || response.destroyed) return
    for (const [header, value] of Object.entries(headers)) {
      // CORS has its own reasons to vary.
      if (header === "Vary" && response.hasHeader("Vary")) {
        response.setHeader("Vary", `${String(response.getHeader("Vary"))}, ${value}`)
      } else response.setHeader(header, value)
    }
    if (body !== undefined) response.setHeader("Content-Length", body.byteLength)
    response.writeHead(status)
    response.end(body)
  })
}
