/**
 * What went wrong below the namespaces, as errors of the program.
 */
import type { ClientError } from "../../protocol/ClientHost.ts"
import * as CloseReason from "../../protocol/CloseReason.ts"
import type { TransportFailure } from "../../transport/ClientTransport.ts"
import type { Anything } from "./TypedEvents.ts"

/** A transport failed. `description` is an HTTP status, an error or a text; `context` the answer or close event behind it. */
export class TransportError extends Error {
  readonly type = "TransportError"
  readonly description: Anything
  readonly context: Anything

  constructor(message: string, description: unknown, context: unknown) {
    super(message)
    this.description = description
    this.context = context
  }
}

/** What `connect_error` hands out: `data` is what the server's middleware added. */
export interface ExtendedError extends Error {
  data?: Anything
  /** For a failure of the transport: an HTTP status, an error or a text. */
  description?: Anything
  /** For a failure of the transport: the answer or close event behind it. */
  context?: Anything
}

/** What is known about the end of a connection beyond its reason. */
export type DisconnectDescription = Error | { readonly description: string; readonly context?: unknown }

/** The error of a failed or refused attempt; an error that was thrown below is handed on itself. */
export const fromClientError = (error: ClientError): ExtendedError => {
  if (error.description instanceof Error) return error.description
  const result: ExtendedError = new Error(error.message)
  if (error.kind === "refused") result.data = error.data
  return result
}

/** What to tell about the end of a connection. */
export const describe = (
  reason: CloseReason.CloseReason,
  failure: TransportFailure | undefined
): DisconnectDescription | undefined => {
  if (failure === undefined) return undefined
  const { message, description, context } = failure
  if (reason === CloseReason.transportError) return new TransportError(message, description, context)
  if (reason === CloseReason.parseError) return new Error(message)
  return { description: message, context }
}
