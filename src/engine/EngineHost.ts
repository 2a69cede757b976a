/**
 * Where requests come from: an own port, an existing `http.Server`, Effect's HTTP server, the in-memory network.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { EngineError } from "./EngineError.ts"
import type { Exchange, UpgradeExchange } from "./EngineRequest.ts"

/** What a host hands its requests to. The host has already matched the path. Neither call throws. */
export interface EngineHandler {
  handleRequest(exchange: Exchange): void
  handleUpgrade(exchange: UpgradeExchange): void
}

/** The HTTP side of a server. `path` is "/socket.io/" unless configured (with the trailing slash). */
export class EngineHost extends Context.Service<
  EngineHost,
  {
    /** Starts to accept requests for the path; stops when the scope closes. Requests before that are refused or wait, never misrouted. */
    serve(
      handler: EngineHandler,
      options: { readonly path: string; readonly addTrailingSlash: boolean; readonly maxPayload: number }
    ): Effect.Effect<void, EngineError, Scope.Scope>
    /** Where it listens, once `serve` has succeeded; `undefined` in memory. */
    readonly address: Effect.Effect<{ readonly hostname: string; readonly port: number } | undefined>
  }
>()("effect-socketio/engine/EngineHost") {}
