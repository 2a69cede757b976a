/**
 * What a browser carries: nothing of Schema for a namespace without a contract.
 */
import { build } from "esbuild"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "vitest"

const inputsOf = async (entry: string): Promise<ReadonlyArray<string>> => {
  const { metafile } = await build({
    entryPoints: [fileURLToPath(new URL(entry, import.meta.url))],
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: "esm",
    conditions: ["source"],
    logLevel: "silent"
  })
  return Object.values(metafile.outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : []))
  )
}

describe("the bundle of a contract module", () => {
  it("an untyped namespace and the errors of payloads carry no Schema", async () => {
    for (const entry of ["../../src/contract/UntypedNamespace.ts", "../../src/runtime/PayloadError.ts"]) {
      const schemas = (await inputsOf(entry)).filter((path) => /effect\/dist\/.*Schema/.test(path))
      assert.deepStrictEqual(schemas, [], entry)
    }
  })

  it("a contract does, as the pattern of this test expects", async () => {
    const inputs = await inputsOf("../../src/contract/Namespace.ts")
    assert.isTrue(inputs.some((path) => /effect\/dist\/.*Schema/.test(path)))
  })
})
