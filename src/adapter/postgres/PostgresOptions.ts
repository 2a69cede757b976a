/**
 * The options of the PostgreSQL adapter. Those that `@socket.io/postgres-adapter` 0.5 has keep their names, meanings and defaults.
 */
import * as ClusterCodec from "../ClusterCodec.ts"

/** What can be set; everything has a default. */
export interface PostgresOptions {
  /** The beginning of the names of channels. Nodes of one cluster share it. Default "socket.io". */
  readonly channelPrefix?: string | undefined
  /** The table for messages that are binary or too large for a notification. Default "socket_io_attachments". */
  readonly tableName?: string | undefined
  /** Larger messages go through that table, in bytes. Default 8000; PostgreSQL takes 7999 at most, so that more counts as 7999. */
  readonly payloadThreshold?: number | undefined
  /** How often what is too old is deleted, and how old attachments become, in milliseconds. Default 30,000. */
  readonly cleanupInterval?: number | undefined
  /** The log of events that clients may have missed. Default "socket_io_log". */
  readonly logTableName?: string | undefined
  /** The sessions of lost sockets. Default "socket_io_sessions". */
  readonly sessionTableName?: string | undefined
  /** Whether tables that are missing are made. Default true; without the right to, make them before (`PostgresSchema.statements`). */
  readonly createTables?: boolean | undefined
  /** The largest message that is sent or read, in bytes. Default 16 MiB. */
  readonly maxMessageSize?: number | undefined
  /** How many messages may wait for PostgreSQL, on their way out or in, for each namespace in. Default 10,000. */
  readonly maxPending?: number | undefined
  /** How many bytes of messages may wait on their way out. Default 64 MiB. */
  readonly maxPendingBytes?: number | undefined
  /** How many events one session may have missed; with more it is not recovered. Default 50,000. */
  readonly maxMissed?: number | undefined
  /** How long PostgreSQL may take to answer before its connection is given up, in milliseconds. Default 10,000. */
  readonly answerTimeout?: number | undefined
  /** How often the listening connection is asked whether it is still there, in milliseconds. Default 10,000. */
  readonly probeInterval?: number | undefined
}

/** All options, defaults filled in. */
export type PostgresSettings = { readonly [Key in keyof PostgresOptions]-?: NonNullable<PostgresOptions[Key]> }

/** PostgreSQL refuses notifications from this many bytes on. */
const notificationLimit = 8000

/** Fills in the defaults. */
export const settings = (options: PostgresOptions = {}): PostgresSettings => ({
  channelPrefix: options.channelPrefix ?? "socket.io",
  tableName: options.tableName ?? "socket_io_attachments",
  payloadThreshold: Math.min(options.payloadThreshold ?? notificationLimit, notificationLimit - 1),
  cleanupInterval: options.cleanupInterval ?? 30_000,
  logTableName: options.logTableName ?? "socket_io_log",
  sessionTableName: options.sessionTableName ?? "socket_io_sessions",
  createTables: options.createTables ?? true,
  maxMessageSize: options.maxMessageSize ?? ClusterCodec.defaultMaxSize,
  maxPending: options.maxPending ?? 10_000,
  maxPendingBytes: options.maxPendingBytes ?? 64 * 1024 * 1024,
  maxMissed: options.maxMissed ?? 50_000,
  answerTimeout: options.answerTimeout ?? 10_000,
  probeInterval: options.probeInterval ?? 10_000
})
