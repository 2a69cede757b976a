/**
 * The options of the NATS adapters, and their defaults.
 */
import type { Schedule } from "effect/Schedule"

/** What both adapters take; everything has a default. */
export interface NatsOptions {
  /** The beginning of all subjects. Nodes of one cluster share it. Default "socket.io", with JetStream "socket.io-js". */
  readonly prefix?: string | undefined
  /** The largest message that is sent or read, in bytes, also when it goes in parts. Default 16 MiB. */
  readonly maxMessageSize?: number | undefined
  /** The most bytes that have been handed to the client and not confirmed by the server; past it publishing fails. Default 64 MiB. */
  readonly maxPendingBytes?: number | undefined
}

/** What the adapter over JetStream takes besides. */
export interface NatsJetStreamOptions extends NatsOptions {
  /** The name of the stream that is the log of all namespaces. It is made where there is none. Default "socketio". */
  readonly stream?: string | undefined
  /** The beginning of the names of the buckets that hold sessions. Default "socketio_sessions". */
  readonly bucket?: string | undefined
  /** Where the server keeps log and sessions: `file` survives its restart. Default "file". */
  readonly storage?: "file" | "memory" | undefined
  /** How many servers of a NATS cluster keep log and sessions. Default 1. */
  readonly replicas?: number | undefined
  /** How long the log keeps a message, in milliseconds, where this adapter makes the stream. Default: twice the time of recovery, at least 2 minutes. */
  readonly maxAge?: number | undefined
  /** The most bytes of the log, where this adapter makes the stream; the oldest messages go first. Default 256 MiB. */
  readonly maxBytes?: number | undefined
  /** How long a message may take to the log and back, and a request to JetStream, in milliseconds. Default 5,000. */
  readonly publishTimeout?: number | undefined
  /** The most messages on their way to the log for each namespace; past it publishing fails. Default 10,000. */
  readonly maxInFlight?: number | undefined
  /** How often the server says that it is still there while nothing is published, in milliseconds. Default 2,000. */
  readonly idleHeartbeat?: number | undefined
  /** The most events that one socket may have missed; with more it is not recovered (`LogTruncated`). Default 50,000. */
  readonly maxMissed?: number | undefined
  /** How long to wait between attempts to read the log again. Default: exponential from 100 milliseconds to 2 seconds. */
  readonly retry?: Schedule<unknown> | undefined
}

type Filled<Options> = { readonly [Key in keyof Options]-?: NonNullable<Options[Key]> }

/** All options of the core adapter, defaults filled in. */
export type NatsSettings = Filled<NatsOptions>

/** All options of the JetStream adapter, defaults filled in; `maxAge` depends on the namespace, `retry` on the adapter. */
export type NatsJetStreamSettings = Filled<Omit<NatsJetStreamOptions, "maxAge" | "retry">> & {
  readonly maxAge: number | undefined
  readonly retry: Schedule<unknown> | undefined
}

const mebibyte = 1024 * 1024

const positive = (value: number | undefined, otherwise: number): number =>
  value === undefined || !(value >= 1) ? otherwise : Math.floor(value)

/** Fills in the defaults; numbers below 1 count as not given. */
export const settings = (options: NatsOptions = {}, prefix = "socket.io"): NatsSettings => ({
  prefix: options.prefix ?? prefix,
  maxMessageSize: positive(options.maxMessageSize, 16 * mebibyte),
  maxPendingBytes: positive(options.maxPendingBytes, 64 * mebibyte)
})

/** Fills in the defaults; numbers below 1 count as not given. */
export const jetStreamSettings = (options: NatsJetStreamOptions = {}): NatsJetStreamSettings => ({
  ...settings(options, "socket.io-js"),
  stream: options.stream ?? "socketio",
  bucket: options.bucket ?? "socketio_sessions",
  storage: options.storage ?? "file",
  replicas: positive(options.replicas, 1),
  maxAge: options.maxAge === undefined ? undefined : positive(options.maxAge, 1),
  maxBytes: positive(options.maxBytes, 256 * mebibyte),
  publishTimeout: positive(options.publishTimeout, 5000),
  maxInFlight: positive(options.maxInFlight, 10_000),
  idleHeartbeat: positive(options.idleHeartbeat, 2000),
  maxMissed: positive(options.maxMissed, 50_000),
  retry: options.retry
})
