/**
 * What tells the messages of adapters from everything else that a program sends between its primary and its workers.
 */

/** The value of `source` in the messages of `@socket.io/cluster-adapter`, and in ours. */
export const messageSource = "_sio_adapter"

/** A message between adapters on its way through the primary; its content is not looked at. */
export interface AdapterMessage {
  readonly source: typeof messageSource
  readonly type?: unknown
  readonly uid?: unknown
  readonly nsp?: unknown
  /** With answers: the node that asked. */
  readonly requesterUid?: unknown
}

/** Whether a value that came over the channel is for adapters. */
export const isAdapterMessage = (value: unknown): value is AdapterMessage =>
  typeof value === "object" && value !== null && (value as Partial<AdapterMessage>).source === messageSource
