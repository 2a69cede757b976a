/**
 * The sessions and the log of one namespace in Redis: both survive the server, and official nodes read and write the same.
 *
 * A session is one key, `base64(msgpack({ sid, pid, rooms, data }))` with a time to live, and beside it `since` of our own. The log is the stream:
 * offsets are the ids of its entries, and positions in it need not be entries that are still there.
 */
import * as Effect from "effect/Effect"
import * as Base64 from "../../protocol/Base64.ts"
import * as MsgpackDecode from "../../protocol/MsgpackDecode.ts"
import * as MsgpackEncode from "../../protocol/MsgpackEncode.ts"
import { isJsonObject } from "../../protocol/SocketPacket.ts"
import {
  AdapterError,
  type EventData,
  isFor,
  RecoveryFailed,
  type RecoveryOptions,
  type RestoredSession,
  type SocketSession
} from "../Adapter.ts"
import type { BusStore } from "../ClusterBus.ts"
import { MessageType } from "../ClusterMessage.ts"
import * as Commands from "./RedisStreamCommands.ts"
import * as StreamEntry from "./RedisStreamEntry.ts"
import * as StreamId from "./RedisStreamId.ts"
import type { StreamLink } from "./RedisStreamLink.ts"
import * as Reader from "./RedisStreamReader.ts"
import type { RedisStreamsSettings } from "./RedisStreamsOptions.ts"

/** Entries that one read of the log asks for. */
const page = 500

/** The text of a session; throws for data that has no form in msgpack. */
export const encodeSessionOrThrow = (session: SocketSession): string => {
  const { sid, pid, rooms, data, since, written } = session
  return Base64.encode(MsgpackEncode.encodeOrThrow({ sid, pid, rooms: [...rooms], data, since, written }, "notepack3"))
}

const textOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined)

/** Reads a session, also one of an official node; undefined where the text is none. */
export const decodeSession = (text: string, pid: string): SocketSession | undefined => {
  const bytes = Base64.decode(text)
  if (bytes === undefined) return undefined
  const decoded = MsgpackDecode.decode(bytes)
  if (decoded._tag === "MsgpackFailure" || !isJsonObject(decoded.value)) return undefined
  const { sid, rooms, data, since, written } = decoded.value
  if (typeof sid !== "string" || decoded.value["pid"] !== pid) return undefined
  if (!Array.isArray(rooms) || !rooms.every((room) => typeof room === "string")) return undefined
  const session = { sid, pid, rooms, data, since: textOf(since) }
  return isJsonObject(written)
    ? { ...session, written: { last: textOf(written["last"]), end: textOf(written["end"]) } }
    : session
}

/** Where the log is read from for a client that names this place: whoever has all that was written has missed nothing before the loss. */
const beginning = (named: string, { written }: SocketSession): string => {
  const end = written?.last === named ? written.end : undefined
  return end !== undefined && StreamId.parse(end) !== undefined && StreamId.isAfter(end, named) ? end : named
}

/** What the store works with. */
export interface StoreHost {
  readonly namespace: string
  readonly link: StreamLink
  readonly reader: Reader.StreamReader
  /** The stream that official nodes write this namespace to and nobody orders with ours, where there is one. */
  readonly strayStream: string | undefined
  readonly settings: RedisStreamsSettings
  readonly recovery: RecoveryOptions
  /** Told of entries in the log that cannot be read. */
  ignored(): void
}

type Missed = Array<{ readonly event: EventData; readonly offset: string }>

const truncated = new RecoveryFailed({ reason: "LogTruncated" })
const unknown = new RecoveryFailed({ reason: "SessionUnknown" })
const nowhere = new RecoveryFailed({ reason: "OffsetUnknown" })

/** Reads the log for one session. */
class Recovery {
  readonly missed: Missed = []
  readonly #host: StoreHost
  readonly #rooms: ReadonlyArray<string>
  readonly #seen = new Map<string, number>()
  #entries = 0
  /** The last entry that was read. */
  position: string

  constructor(host: StoreHost, rooms: ReadonlyArray<string>, position: string) {
    this.#host = host
    this.#rooms = rooms
    this.position = position
  }

  /** Reads on to the end of the log. */
  readonly toEnd = (command: Command): Effect.Effect<void, RecoveryFailed | AdapterError> =>
    Effect.gen({ self: this }, function* () {
      const { reader, settings } = this.#host
      for (;;) {
        const start = StreamId.parse(this.position)
        if (start === undefined) return yield* nowhere
        const reply = yield* command(reader.stream, Commands.range(reader.stream, StreamId.next(start), "+", page))
        const entries = Commands.entriesOf(reply)
        this.#entries += entries.length
        if (this.#entries > settings.maxMissedEntries) return yield* truncated
        for (const entry of entries) this.#take(entry)
        if (entries.length < page) return
      }
    })

  #take({ id, fields }: Commands.Entry): void {
    this.position = id
    const { maxMessageSize } = this.#host.settings
    const raw = StreamEntry.read(fields, maxMessageSize)
    if (raw?.nsp !== this.#host.namespace || raw.type !== MessageType.BROADCAST) return
    if (raw.sequence !== undefined) {
      // Written twice by a client that was not sure.
      if (raw.sequence <= (this.#seen.get(raw.uid) ?? 0)) return
      this.#seen.set(raw.uid, raw.sequence)
    }
    const body = StreamEntry.decode(raw)?.body
    if (body?.type !== MessageType.BROADCAST) return this.#host.ignored()
    // Questions whose time is over, and what nobody wants late.
    if (body.requestId !== undefined || body.flags.volatile) return
    if (isFor(body.target, this.#rooms)) this.missed.push({ event: body.event, offset: id })
  }
}

/** How often it is looked whether the reader has come to where a client was: milliseconds. The namespace bounds how long. */
const catchUpInterval = 5

type Command = (key: string, words: Commands.Words) => Effect.Effect<unknown, AdapterError>

/** The store of a namespace. */
export const make = (host: StoreHost): BusStore => {
  const { link, reader, settings, recovery, strayStream } = host
  const keyOf = (pid: string): string => settings.sessionKeyPrefix + pid

  const commandOf =
    (operation: string): Command =>
    (key, words) =>
      Effect.suspend(() =>
        link.ready
          ? Effect.tryPromise({
              try: () => link.command(key, words),
              catch: (cause) => new AdapterError({ reason: "Unavailable", operation, cause })
            })
          : Effect.fail(new AdapterError({ reason: "Unavailable", operation }))
      )

  /** Fails when something after the position is gone, or might be. */
  const checkTruncation = Effect.fnUntraced(function* (
    command: Command,
    position: string
  ): Effect.fn.Return<void, RecoveryFailed | AdapterError> {
    const ask = (words: Commands.Words): Effect.Effect<unknown, AdapterError> => command(reader.stream, words)
    const found = Commands.entriesOf(yield* ask(Commands.range(reader.stream, position, position, 1)))
    const info = yield* Effect.catch(
      Effect.map(ask(Commands.info(reader.stream)), (reply) => Commands.infoOf(reply) ?? Commands.emptyInfo),
      (error) => (Commands.isNoSuchKey(error.cause) ? Effect.succeed(Commands.emptyInfo) : Effect.fail(error))
    )
    if (StreamId.isAfter(position, info.last)) return yield* nowhere
    const gone = Reader.trimmedAfter(position, info, found.length > 0)
    if (gone === false) return
    // This node may have read on from there itself, and so know that only what is at and before the position was trimmed.
    const parsed = StreamId.parse(position)
    const following = parsed === undefined || gone === true ? undefined : reader.history.following(parsed)
    if (following === undefined || info.first === undefined) return yield* truncated
    if (StreamId.isAfter(info.first, `${following.millis}-${following.sequence}`)) return yield* truncated
  })

  /** Official nodes write namespaces of some names to a stream that nobody orders with ours: what is there cannot be recovered. */
  const checkStray = Effect.fnUntraced(function* (
    command: Command,
    position: string
  ): Effect.fn.Return<void, RecoveryFailed | AdapterError> {
    const start = StreamId.parse(position)
    if (strayStream === undefined || start === undefined) return
    const reply = yield* command(strayStream, Commands.range(strayStream, StreamId.next(start), "+", page))
    const entries = Commands.entriesOf(reply)
    const broadcast = entries.some(({ fields }) => {
      const raw = StreamEntry.read(fields, settings.maxMessageSize)
      return raw?.nsp === host.namespace && raw.type === MessageType.BROADCAST
    })
    if (broadcast || entries.length >= page) return yield* truncated
  })

  const persist = Effect.fnUntraced(function* (session: SocketSession): Effect.fn.Return<void, AdapterError> {
    const operation = "persist"
    const text = yield* Effect.try({
      try: () => encodeSessionOrThrow(session),
      catch: (cause) => new AdapterError({ reason: "Rejected", operation, cause })
    })
    const key = keyOf(session.pid)
    yield* commandOf(operation)(key, Commands.keep(key, text, recovery.maxDisconnectionDuration))
  })

  const restore = Effect.fnUntraced(function* (
    pid: string,
    offset: string | undefined
  ): Effect.fn.Return<RestoredSession, RecoveryFailed | AdapterError> {
    // Before the session is taken: whoever names nonsense may try again.
    if (offset !== undefined && StreamId.parse(offset) === undefined) return yield* nowhere
    const command = commandOf("restore")
    const key = keyOf(pid)
    const text = Commands.textOf(yield* command(key, Commands.peek(key)))
    const session = text === undefined ? undefined : decodeSession(text, pid)
    if (session === undefined) return yield* unknown
    const named = offset ?? session.since
    if (named === undefined || StreamId.parse(named) === undefined) return yield* nowhere
    const position = beginning(named, session)
    const log = new Recovery(host, session.rooms, position)
    yield* log.toEnd(command)
    // After the log was read: what has been trimmed until now may have been trimmed while it was.
    yield* checkTruncation(command, position)
    yield* checkStray(command, position)
    // The client may come from a node that was ahead: what this one has not come to yet, it must not get once more.
    while (StreamId.isAfter(position, reader.position)) yield* Effect.sleep(catchUpInterval)
    // Single-use: of all who ask, one deletes it.
    if (Number(yield* command(key, Commands.remove(key))) !== 1) return yield* unknown
    // What this node has delivered meanwhile, the socket has missed too; what it will deliver from now on is the namespace's own.
    while (StreamId.isAfter(reader.position, log.position)) yield* log.toEnd(command)
    return { session, missed: log.missed }
  })

  return {
    get position() {
      return reader.located ? reader.position : undefined
    },
    persist,
    restore
  }
}
