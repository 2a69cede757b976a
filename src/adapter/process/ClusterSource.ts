/**
 * What tells the messages of adapters from everything else that a program sends between its primary and its workers.
 */

/** The value of `source` in the messages of `@socket.io/cluster-adapter`, and in ours. */
export const messageSource = "_sio_adapter"

/** A worker of ours names a node of its own to our primary; nobody else looks at it. */
export const nodeSource = "_sio_adapter:node"

/** The naming of a node. */
export interface NodeMessage {
  readonly source: typeof nodeSource
  readonly uid?: unknown
  readonly nsp?: unknown
}

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

/** Whether a value that came over the channel names a node. */
export const isNodeMessage = (value: unknown): value is NodeMessage =>
  typeof value === "object" && value !== null && (value as Partial<NodeMessage>).source === nodeSource
