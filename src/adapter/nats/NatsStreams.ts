/**
 * The streams of JetStream that the adapter needs: the log of all namespaces, and buckets of sessions. They are made where there are none;
 * an operator may make them before, with his own bounds.
 */
import {
  DiscardPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamInfo
} from "@nats-io/jetstream"
import * as Effect from "effect/Effect"
import type { AdapterError } from "../Adapter.ts"
import { rejected, unavailable } from "./NatsErrors.ts"
import * as Offset from "./NatsOffset.ts"
import type { NatsJetStreamSettings } from "./NatsOptions.ts"

const nanosPerMilli = 1_000_000

/** The log without recovery keeps messages for nodes that come back after a moment, in milliseconds. */
const leastAge = 120_000

/** JetStream refuses less, in milliseconds. */
const leastBucketAge = 100

/** A second copy of a message is recognised for this long; nothing of ours is written twice. In milliseconds. */
const duplicateWindow = 1000

/** The log as it is now. */
export interface LogState {
  readonly epoch: string
  /** The first place that is still there; one more than `last` where there is none. */
  readonly first: number
  readonly last: number
}

/** The part of the subjects that only the log has. */
export const logPrefix = (settings: NatsJetStreamSettings): string => `${settings.prefix}.log`

const attempt = <A>(operation: string, run: () => Promise<A>): Effect.Effect<A, AdapterError> =>
  Effect.tryPromise({ try: run, catch: (cause) => unavailable(operation, cause) })

const isNotFound = (cause: unknown): boolean =>
  cause instanceof JetStreamApiError && cause.code === JetStreamApiCodes.StreamNotFound

/** A stream, or undefined where there is none. */
const find = (manager: JetStreamManager, name: string): Effect.Effect<StreamInfo | undefined, AdapterError> =>
  Effect.catch(
    attempt("stream", () => manager.streams.info(name)),
    (error) => (isNotFound(error.cause) ? Effect.succeed(undefined) : Effect.fail(error))
  )

const storageOf = ({ storage }: NatsJetStreamSettings): StorageType =>
  storage === "file" ? StorageType.File : StorageType.Memory

/** The state of the log, from what the server says of the stream. */
export const stateOf = ({ created, state }: StreamInfo): Effect.Effect<LogState, AdapterError> => {
  const epoch = Offset.epochOf(created)
  if (epoch === undefined) return Effect.fail(rejected("stream", new Error(`made at ${created}`)))
  return Effect.succeed({ epoch, first: Math.max(state.first_seq, 1), last: state.last_seq })
}

/**
 * The log, made where there is none, and kept longer where a namespace needs that; `maxAge` in milliseconds. Several nodes may do this at one time.
 */
export const ensureLog = Effect.fnUntraced(function* (
  manager: JetStreamManager,
  settings: NatsJetStreamSettings,
  recoveryMillis: number
): Effect.fn.Return<LogState, AdapterError> {
  const { stream } = settings
  const maxAge = (settings.maxAge ?? Math.max(leastAge, recoveryMillis * 2)) * nanosPerMilli
  const subjects = [`${logPrefix(settings)}.>`]
  let info = yield* find(manager, stream)
  if (info === undefined) {
    const made = yield* Effect.result(
      attempt("stream", () =>
        manager.streams.add({
          name: stream,
          subjects,
          retention: RetentionPolicy.Limits,
          storage: storageOf(settings),
          discard: DiscardPolicy.Old,
          num_replicas: settings.replicas,
          max_age: maxAge,
          max_bytes: settings.maxBytes,
          duplicate_window: duplicateWindow * nanosPerMilli
        })
      )
    )
    // Another node may have made it with other bounds.
    info = made._tag === "Success" ? made.success : yield* find(manager, stream)
    if (info === undefined) return yield* made._tag === "Failure" ? made.failure : unavailable("stream")
  }
  const { config } = info
  const covered = config.subjects?.some((subject) => subject === subjects[0] || subject === ">") === true
  if (!covered) return yield* rejected("stream", new Error(`the stream ${stream} does not hold ${subjects[0]}`))
  if (settings.maxAge === undefined && config.max_age > 0 && config.max_age < maxAge) {
    info = yield* attempt("stream", () => manager.streams.update(stream, { ...config, max_age: maxAge }))
  }
  return yield* stateOf(info)
})

/** The log as it is now; undefined where there is none. */
export const currentLog = Effect.fnUntraced(function* (
  manager: JetStreamManager,
  settings: NatsJetStreamSettings
): Effect.fn.Return<LogState | undefined, AdapterError> {
  const info = yield* find(manager, settings.stream)
  return info === undefined ? undefined : yield* stateOf(info)
})

/** The name of the bucket for sessions that are kept for so many milliseconds: all in a bucket have one lifetime. */
export const bucketOf = (settings: NatsJetStreamSettings, millis: number): string =>
  `${settings.bucket}_${Math.max(Math.ceil(millis), leastBucketAge)}`

/** A bucket, as NATS' own tools make and read them; made where there is none. */
export const ensureBucket = Effect.fnUntraced(function* (
  manager: JetStreamManager,
  settings: NatsJetStreamSettings,
  millis: number
): Effect.fn.Return<void, AdapterError> {
  const bucket = bucketOf(settings, millis)
  const name = `KV_${bucket}`
  if ((yield* find(manager, name)) !== undefined) return
  const maxAge = Math.max(Math.ceil(millis), leastBucketAge) * nanosPerMilli
  const made = yield* Effect.result(
    attempt("bucket", () =>
      manager.streams.add({
        name,
        subjects: [`$KV.${bucket}.>`],
        retention: RetentionPolicy.Limits,
        storage: storageOf(settings),
        discard: DiscardPolicy.New,
        num_replicas: settings.replicas,
        max_age: maxAge,
        max_msgs_per_subject: 1,
        allow_rollup_hdrs: true,
        deny_delete: true,
        allow_direct: true,
        duplicate_window: Math.min(maxAge, 120_000 * nanosPerMilli)
      })
    )
  )
  if (made._tag === "Failure" && (yield* find(manager, name)) === undefined) return yield* made.failure
})
