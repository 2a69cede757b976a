import { defineConfig } from "vitest/config"

export default defineConfig({
  resolve: { conditions: ["source"] },
  ssr: { resolve: { conditions: ["source"], externalConditions: ["source"] } },
  test: {
    include: ["test/**/*.test.ts", "examples/**/*.test.ts"],
    globalSetup: ["test/globalSetup.ts"],
    testTimeout: 60_000,
    // Real sockets, brokers and browsers on two loaded cores: a test may meet a machine that stood still, once. It is reported as flaky.
    retry: process.env["CI"] === undefined ? 0 : 1
  }
})
