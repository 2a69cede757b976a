/** What a module of `bench/servers` or `bench/clients` exports. */
import type { Feature } from "../Scenario.ts"

/** How a measured process is to start. */
export interface StartOptions {
  /** Whether the server handles all events, or only `echo`, `ask` and `publish`: each handler of each socket takes memory. */
  readonly allEvents: boolean
  /** Where a client connects to. */
  readonly port: number | undefined
}

/** Starts the server in this process on a free port of 127.0.0.1, with the events of `bench/Message.ts`; or connects the client. */
export type Start = (options: StartOptions) => Promise<{ readonly port: number }>

/** A column of the table. */
export interface Server {
  readonly name: string
  readonly about: string
  readonly features: ReadonlyArray<Feature>
  /** The module with an exported `start`; only the measured process loads it. */
  readonly module: string
  /** Where it runs on another Node than this one. */
  readonly runtime?: { readonly node: string; readonly host: URL }
  /** The only scenarios that it takes part in unless it was asked for by name: where it has something to say. Default: all. */
  readonly only?: ReadonlyArray<string>
}
