/** What a module of `bench/servers` exports. */
import type { Feature } from "../Scenario.ts"

/** Starts the server in this process on a free port of 127.0.0.1, with the events of `bench/Message.ts`. */
export type Start = () => Promise<{ readonly port: number }>

/** A column of the table. */
export interface Server {
  readonly name: string
  readonly about: string
  readonly features: ReadonlyArray<Feature>
  /** The module with an exported `start`; only the server's own process loads it. */
  readonly module: string
}
