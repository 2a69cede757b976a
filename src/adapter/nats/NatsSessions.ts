/**
 * Sessions of lost sockets, in a bucket of JetStream's key-value store: one key each, which the server forgets after the time of recovery.
 *
 * A session is taken by writing a mark over exactly the revision that was read, so that of all who ask one gets it.
 */
import { JetStreamApiCodes, JetStreamApiError, type JetStreamClient, type JetStreamManager } from "@nats-io/jetstream"
import { headers } from "@nats-io/transport-node"
import * as Effect from "effect/Effect"
import * as MsgpackDecode from "../../protocol/MsgpackDecode.ts"
import * as MsgpackEncode from "../../protocol/MsgpackEncode.ts"
import { isJsonObject } from "../../protocol/SocketPacket.ts"
import type { AdapterError, SocketSession } from "../Adapter.ts"
import { MessageTooLarge, rejected, unavailable } from "./NatsErrors.ts"
import type { EventTail } from "./NatsEventHistory.ts"
import * as Subjects from "./NatsSubjects.ts"

/** A session, and what its node knew of the log when it was kept. */
export interface KeptSession {
  readonly session: SocketSession
  readonly epoch: string
  readonly tail: EventTail
}

/** A session that was found; it is not taken yet. */
export interface FoundSession extends KeptSession {
  /** Takes it; false when somebody else has taken or replaced it. */
  readonly take: Effect.Effect<boolean, AdapterError>
}

/** The bytes of a session; throws for data that has no form in msgpack. */
export const encodeOrThrow = ({ session, epoch, tail }: KeptSession): Uint8Array<ArrayBuffer> => {
  const { sid, pid, rooms, data, since } = session
  const { floor, places, position } = tail
  return MsgpackEncode.encodeOrThrow(
    { sid, pid, rooms: [...rooms], data, since, epoch, floor, places: [...places], position },
    "notepack3"
  )
}

const isPlace = (value: unknown): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0

/** Reads a session; undefined for what is none, or one with another private id. */
export const decode = (bytes: Uint8Array, pid: string): KeptSession | undefined => {
  const decoded = MsgpackDecode.decode(bytes)
  if (decoded._tag === "MsgpackFailure" || !isJsonObject(decoded.value)) return undefined
  const { sid, rooms, data, since, epoch, floor, places, position } = decoded.value
  if (typeof sid !== "string" || decoded.value["pid"] !== pid || typeof epoch !== "string") return undefined
  if (!Array.isArray(rooms) || !rooms.every((room) => typeof room === "string")) return undefined
  if (!isPlace(floor) || !isPlace(position) || !Array.isArray(places) || !places.every(isPlace)) return undefined
  const session = { sid, pid, rooms, data, since: typeof since === "string" ? since : undefined }
  return { session, epoch, tail: { floor, places, position } }
}

/** The sessions of one namespace. */
export interface NatsSessions {
  /** Keeps a session in the place of an earlier one with the same private id. */
  keep(kept: KeptSession): Effect.Effect<void, AdapterError>
  find(pid: string): Effect.Effect<FoundSession | undefined, AdapterError>
}

/** Where they are. */
export interface SessionsRequest {
  readonly client: JetStreamClient
  readonly manager: JetStreamManager
  /** The bucket, which exists. */
  readonly bucket: string
  readonly namespace: string
  /** In bytes. */
  readonly maxSize: () => number
  /** In milliseconds. */
  readonly timeout: number
}

/** Longer private ids are not ours. */
const maxPidLength = 256

const operationHeader = "KV-Operation"

const isTaken = (cause: unknown): boolean =>
  cause instanceof JetStreamApiError && cause.code === JetStreamApiCodes.StreamWrongLastSequence

/** The sessions in a bucket. */
export const make = (request: SessionsRequest): NatsSessions => {
  const { client, manager, bucket, namespace, maxSize, timeout } = request
  const namespaceToken = Subjects.token(namespace)

  const subjectOf = (pid: string): string | undefined => {
    const token = pid.length > maxPidLength ? undefined : Subjects.token(pid)
    return token === undefined || namespaceToken === undefined ? undefined : `$KV.${bucket}.${namespaceToken}.${token}`
  }

  const takeOf = (subject: string, revision: number): Effect.Effect<boolean, AdapterError> => {
    const marked = headers()
    marked.set(operationHeader, "DEL")
    return Effect.tryPromise({
      try: () =>
        client.publish(subject, new Uint8Array(), {
          headers: marked,
          expect: { lastSubjectSequence: revision },
          timeout
        }),
      catch: (cause) => unavailable("restore", cause)
    }).pipe(
      Effect.as(true),
      Effect.catch((error) => (isTaken(error.cause) ? Effect.succeed(false) : Effect.fail(error)))
    )
  }

  return {
    keep: Effect.fnUntraced(function* (kept): Effect.fn.Return<void, AdapterError> {
      const subject = subjectOf(kept.session.pid)
      if (subject === undefined) return yield* rejected("persist", new Error("the private id is too long"))
      const bytes = yield* Effect.try({
        try: () => encodeOrThrow(kept),
        catch: (cause) => rejected("persist", cause)
      })
      const limit = maxSize()
      if (bytes.length > limit) return yield* rejected("persist", new MessageTooLarge({ size: bytes.length, limit }))
      yield* Effect.tryPromise({
        try: () => client.publish(subject, bytes, { timeout }),
        catch: (cause) => unavailable("persist", cause)
      })
    }),
    find: Effect.fnUntraced(function* (pid): Effect.fn.Return<FoundSession | undefined, AdapterError> {
      const subject = subjectOf(pid)
      if (subject === undefined) return undefined
      // Asked of the leader: another server's copy may be older.
      const stored = yield* Effect.tryPromise({
        try: () => manager.streams.getMessage(`KV_${bucket}`, { last_by_subj: subject }),
        catch: (cause) => unavailable("restore", cause)
      })
      if (stored === null || (stored.header?.get(operationHeader) ?? "") !== "") return undefined
      const kept = decode(stored.data, pid)
      return kept === undefined ? undefined : { ...kept, take: takeOf(subject, stored.seq) }
    })
  }
}
