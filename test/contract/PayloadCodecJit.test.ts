/**
 * The same with Effect's just-in-time compilation of schemas, which the server's entry point enables.
 */
import { describe } from "vitest"

describe("compiled just in time", async () => {
  await import("effect/schema/SchemaJITCompiler/enable")
  await import("./PayloadCodec.test.ts")
})
