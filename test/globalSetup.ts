/** What tests find built: the client's browser bundles, which the facade's server hands out. Made when missing or older than their sources. */
import { existsSync, readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { folder, writeAll } from "../scripts/bundle.ts"

const source = join(import.meta.dirname, "../src")

const newest = (directory: string): number =>
  Math.max(
    ...readdirSync(directory, { recursive: true, encoding: "utf8" }).map(
      (name) => statSync(join(directory, name)).mtimeMs
    )
  )

/** Runs once, before all tests. */
export const setup = async (): Promise<void> => {
  const built = join(folder, "socket.io.min.js")
  if (existsSync(built) && statSync(built).mtimeMs > newest(source)) return
  await writeAll()
}
