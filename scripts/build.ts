/**
 * Builds `dist/` and proves that what would be published works: every file named by `exports` and `imports` exists, every entry
 * point can be imported (and required) from a packed copy in an empty folder, and its types resolve there.
 */
import { spawnSync } from "node:child_process"
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { writeAll } from "./bundle.ts"

const root = dirname(dirname(fileURLToPath(import.meta.url)))

const run = (command: string, args: ReadonlyArray<string>, cwd: string): string => {
  const result = spawnSync(command, args, { cwd, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 })
  if (result.status === 0) return result.stdout
  const output = [result.stdout, result.stderr, result.error?.message].filter(Boolean).join("\n")
  throw new Error(`${command} ${args.join(" ")} failed\n${output}`)
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Every file a conditional map of package.json leads to. */
const targets = (value: unknown): ReadonlyArray<string> => {
  if (typeof value === "string") return [value]
  return isRecord(value) ? Object.values(value).flatMap(targets) : []
}

const manifest: unknown = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
if (!isRecord(manifest) || !isRecord(manifest["exports"])) throw new Error("package.json has no exports")
const { exports: exportMap, imports: importMap, name } = manifest
const packageName = String(name)

const compile = (): void => {
  rmSync(join(root, "dist"), { recursive: true, force: true })
  run(join(root, "node_modules/.bin/tsc"), ["-p", "tsconfig.build.json"], root)
}

const checkTargets = (): number => {
  const all = new Set([...targets(exportMap), ...targets(importMap)])
  const files = Array.from(all).filter((target) => target.startsWith("."))
  // What is not a file is a module of a package: this throws where there is none.
  for (const target of all) if (!target.startsWith(".")) import.meta.resolve(target)
  const missing = files.filter((file) => !existsSync(join(root, file)))
  if (missing.length > 0) throw new Error(`package.json names files that do not exist: ${missing.join(", ")}`)
  return files.length
}

/** A folder whose `node_modules` has the packed package and, by links, what it depends on. */
const install = (folder: string): void => {
  const tarball = run("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", folder], root)
    .trim()
    .split("\n")
    .at(-1)
  if (tarball === undefined) throw new Error("npm pack printed no file name")
  run("tar", ["-xzf", tarball], folder)
  const modules = join(folder, "node_modules")
  mkdirSync(modules)
  symlinkSync(join(folder, "package"), join(modules, packageName))
  const installed = join(root, "node_modules")
  for (const entry of readdirSync(installed)) {
    if (entry.startsWith(".") || existsSync(join(modules, entry))) continue
    symlinkSync(join(installed, entry), join(modules, entry))
  }
  // Node resolves what the package imports from its real path, which is outside node_modules.
  symlinkSync(modules, join(folder, "package", "node_modules"))
}

const entries = Object.keys(exportMap as Record<string, unknown>).filter((key) => !key.endsWith(".json"))
const specifiers = entries.map((entry) => packageName + entry.slice(1))

const importAll = (folder: string): void => {
  const program = `
import { createRequire } from "node:module"
const require = createRequire(import.meta.url)
for (const specifier of ${JSON.stringify(specifiers)}) {
  const module = await import(specifier)
  if (Object.keys(module).length === 0) throw new Error(specifier + " exports nothing")
  require(specifier)
}
`
  writeFileSync(join(folder, "consumer.mjs"), program)
  run(process.execPath, ["consumer.mjs"], folder)
}

const checkTypes = (folder: string): void => {
  const lines = specifiers.map((specifier, index) => `export * as entry${index} from ${JSON.stringify(specifier)}`)
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module", private: true }))
  writeFileSync(join(folder, "consumer.ts"), lines.join("\n"))
  const config = {
    compilerOptions: {
      target: "ES2023",
      lib: ["ES2024", "DOM", "DOM.Iterable"],
      module: "NodeNext",
      moduleResolution: "NodeNext",
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      noEmit: true,
      types: ["node"]
    },
    files: ["consumer.ts"]
  }
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config))
  const result = spawnSync(join(root, "node_modules/.bin/tsc"), ["-p", "tsconfig.json"], {
    cwd: folder,
    encoding: "utf8"
  })
  // Declarations of other packages may disagree with each other; ours must not.
  const ours = result.stdout
    .split("\n")
    .filter((line) => /^(?:package\/|consumer\.ts|node_modules\/effect-socketio\/)/.test(line))
  if (ours.length > 0) throw new Error(`the published types do not compile:\n${ours.join("\n")}`)
}

const main = async (): Promise<void> => {
  compile()
  const bundles = await writeAll()
  const files = checkTargets()
  const folder = mkdtempSync(join(tmpdir(), "effect-socketio-pack-"))
  try {
    install(folder)
    importAll(folder)
    checkTypes(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  console.log(
    `built dist: ${files} files of package.json exist, ${specifiers.length} entry points import, require and type-check, ${bundles.length} bundles`
  )
}

try {
  await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
