/**
 * The names of the channels of a namespace, of plain Pub/Sub and of sharded Pub/Sub.
 */

/** The channels of a namespace over plain Pub/Sub. */
export interface PlainChannels {
  /** Broadcasts, and with the name of a room and `#` behind it those to one room only. */
  readonly broadcast: string
  /** The pattern of all of them. */
  readonly broadcasts: string
  readonly request: string
  readonly response: string
}

/** What patterns mean something by. */
const special = /[\\*?[\]]/g

/** A pattern that fits this text only. */
export const escapePattern = (text: string): string => text.replace(special, "\\$&")

/** The channels of a namespace under a prefix. */
export const plain = (prefix: string, namespace: string): PlainChannels => {
  const broadcast = `${prefix}#${namespace}#`
  return {
    broadcast,
    // A namespace may be named with "*", and must not hear of others therefore.
    broadcasts: `${escapePattern(broadcast)}*`,
    request: `${prefix}-request#${namespace}#`,
    response: `${prefix}-response#${namespace}#`
  }
}

/** The channel of a room, or of a node, below another one. */
export const below = (channel: string, name: string): string => `${channel}${name}#`

/** The name below a channel; "" for the channel itself, `undefined` for one that is elsewhere. */
export const nameBelow = (channel: string, other: string): string | undefined => {
  if (other === channel) return ""
  return other.startsWith(channel) && other.endsWith("#") ? other.slice(channel.length, -1) : undefined
}
