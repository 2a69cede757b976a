/**
 * The place the client runs in.
 */
import * as Context from "effect/Context"
import { make } from "#client-platform"
import type { ClientPlatform, PlatformOptions } from "../transport/ClientPlatform.ts"

/**
 * The platform in use, taken when a client is made. Default: `fetch` and `WebSocket` in browsers, `node:http` and `ws` on Node.
 * Tests put a network in memory here.
 */
export const Platform: Context.Reference<ClientPlatform> = Context.Reference<ClientPlatform>(
  "effect-socketio/client/Platform",
  { defaultValue: () => make() }
)

/** A platform with options: certificates, an agent, a local address (Node); browsers ignore them all. */
export const makePlatform = (options: PlatformOptions): ClientPlatform => make(options)
