/** What every framework's example must do, whatever else it does. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import type { LookupOptions } from "../../src/facade/client.ts"
import { converse, libraries, next, open, routes } from "./Conversation.ts"
import { type Program, type ProgramOptions, start } from "./Program.ts"

/** One framework. */
export interface Framework {
  readonly name: string
  readonly file: string
  /** Asked for before the program starts. */
  readonly options?: () => ProgramOptions
  /** How a client reaches it. */
  readonly clientOptions?: () => Partial<LookupOptions>
  /** What the framework itself answers to `GET /`. */
  readonly greeting: (url: string) => Promise<string>
  /** What only this framework does. */
  readonly more?: (url: () => string) => void
}

/** The greeting over plain HTTP. */
export const fetchGreeting = async (url: string): Promise<string> => (await fetch(url)).text()

/** The tests of a framework. */
export const suite = (framework: Framework): void => {
  describe(framework.name, () => {
    let program: Program
    beforeAll(async () => {
      program = await start(framework.file, framework.options?.())
    }, 30_000)
    afterAll(() => program?.stop("SIGKILL"))

    for (const library of libraries) {
      for (const route of routes) {
        it(`${library.name} talks over ${route.name}`, () =>
          converse(library, program.url, route, framework.clientOptions?.()))
      }
    }

    framework.more?.(() => program.url)

    it("the framework's own routes are answered by the framework", async () => {
      assert.match(await framework.greeting(program.url), /^hello from /)
    })

    it("ends by itself after SIGTERM, though clients are connected", async () => {
      const sockets = await Promise.all(
        libraries.flatMap((library) =>
          routes.map(async (route) => {
            const socket = await open(library, program.url, route, framework.clientOptions?.())
            return { socket, left: next<[string]>(socket, "disconnect") }
          })
        )
      )
      const code = program.stop()
      // A client between two polls, or in the middle of its upgrade, finds nobody there any more. Both reasons make clients come back.
      for (const { left } of sockets) assert.oneOf((await left)[0], ["transport close", "transport error"])
      assert.strictEqual(await code, 0, program.output())
    })
  })
}
