/**
 * The options of Redis Streams: the names, meanings and defaults of `@socket.io/redis-streams-adapter` 0.3, and our own bounds.
 */

/** What may be set; everything has a default. */
export interface RedisStreamsOptions {
  /** The name of the stream, and the beginning of the names where there are several. Default "socket.io". */
  readonly streamName?: string | undefined
  /** How many streams the namespaces are spread over; each has a connection of its own for reading. Default 1. */
  readonly streamCount?: number | undefined
  /** About how many entries a stream keeps, over all its namespaces (`MAXLEN ~`). Default 10,000. */
  readonly maxLen?: number | undefined
  /** How many entries one XREAD asks for. Default 100. */
  readonly readCount?: number | undefined
  /** How long one XREAD waits for entries, in milliseconds. Default 5,000. */
  readonly blockTimeInMs?: number | undefined
  /** The beginning of the keys of sessions. Default "sio:session:". */
  readonly sessionKeyPrefix?: string | undefined
  /** The beginning of the Pub/Sub channels. Default "socket.io". */
  readonly channelPrefix?: string | undefined
  /** Sharded Pub/Sub (Redis 7 and newer) for what is not kept in the stream. Default false. */
  readonly useShardedPubSub?: boolean | undefined
  /** Never look for binary in what is written to the stream: JSON only. Default false. */
  readonly onlyPlaintext?: boolean | undefined
  /**
   * The most entries of the log that are read for one recovery, those of other rooms and namespaces included; a socket that missed more is
   * not recovered (`LogTruncated`). Default 50,000.
   */
  readonly maxMissedEntries?: number | undefined
  /** The most messages under way to Redis; past it publishing fails at once (`Unavailable`). Default 10,000. */
  readonly maxInFlight?: number | undefined
  /**
   * How long a message waits for an earlier one of the same node that comes by the other way (stream or Pub/Sub), in milliseconds. The two ways
   * are usually less than a millisecond apart. Default 5,000.
   */
  readonly orderTimeout?: number | undefined
  /** The largest message that is read, in bytes (for the text of an entry: in characters); larger ones are ignored and counted. Default 16 MiB. */
  readonly maxMessageSize?: number | undefined
}

/** All options, defaults filled in. */
export type RedisStreamsSettings = { readonly [K in keyof RedisStreamsOptions]-?: NonNullable<RedisStreamsOptions[K]> }

const positive = (value: number | undefined, otherwise: number): number =>
  value === undefined || !(value >= 1) ? otherwise : Math.floor(value)

/** Fills in the defaults; numbers below 1 count as not given. */
export const settings = (options: RedisStreamsOptions = {}): RedisStreamsSettings => ({
  streamName: options.streamName ?? "socket.io",
  streamCount: positive(options.streamCount, 1),
  maxLen: positive(options.maxLen, 10_000),
  readCount: positive(options.readCount, 100),
  blockTimeInMs: positive(options.blockTimeInMs, 5000),
  sessionKeyPrefix: options.sessionKeyPrefix ?? "sio:session:",
  channelPrefix: options.channelPrefix ?? "socket.io",
  useShardedPubSub: options.useShardedPubSub ?? false,
  onlyPlaintext: options.onlyPlaintext ?? false,
  maxMissedEntries: positive(options.maxMissedEntries, 50_000),
  maxInFlight: positive(options.maxInFlight, 10_000),
  orderTimeout: positive(options.orderTimeout, 5000),
  maxMessageSize: positive(options.maxMessageSize, 16 * 1024 * 1024)
})
