/**
 * Sessions and missed events of a namespace of the facade: in memory, or where an adapter of the program keeps them.
 *
 * Adapters for Socket.IO keep sessions by `persistSession` and `restoreSession`. Those that extend our `Adapter` leave the log to the namespace;
 * others write events to clients themselves, and put the offsets behind the arguments themselves.
 */
import * as Effect from "effect/Effect"
import {
  type NamespaceAdapter,
  RecoveryFailed,
  type RecoveryStore,
  type RestoredSession,
  type SocketSession
} from "../../adapter/Adapter.ts"
import * as InMemoryAdapter from "../../adapter/InMemoryAdapter.ts"
import { InMemoryStore } from "../../adapter/InMemoryStore.ts"
import { noOffset } from "../../socket/Recovery.ts"
import * as Adapter from "./Adapter.ts"
import type { AnyNamespace } from "./Namespace.ts"

const unknown = new RecoveryFailed({ reason: "SessionUnknown" })

const isText = (value: unknown): value is string => typeof value === "string"

/** What an adapter of somebody else gives; `undefined` for what is no session. */
const toRestored = (value: unknown): RestoredSession | undefined => {
  if (typeof value !== "object" || value === null) return undefined
  const { sid, pid, rooms, data, missedPackets } = value as Partial<Adapter.PersistedSession>
  if (!isText(sid) || !isText(pid) || !Array.isArray(rooms) || !rooms.every(isText)) return undefined
  const session: SocketSession = { sid, pid, rooms, data, since: undefined }
  const missed: Array<RestoredSession["missed"][number]> = []
  for (const packet of Array.isArray(missedPackets) ? missedPackets : []) {
    if (!Array.isArray(packet) || packet.length === 0) continue
    const offset: unknown = packet.length > 1 ? packet.at(-1) : undefined
    const data = (isText(offset) ? packet.slice(0, -1) : packet) as [string, ...Array<unknown>]
    missed.push({ event: { data }, offset: isText(offset) ? offset : noOffset })
  }
  return { session, missed }
}

/** Keeps sessions by the methods of an adapter. */
const bySessionMethods = (
  nsp: AnyNamespace,
  adapter: Adapter.SessionKeeper
): Pick<RecoveryStore, "persist" | "restore"> => ({
  persist: ({ sid, pid, rooms, data }) =>
    Effect.promise(async () => {
      // The adapter has the rooms: ours need not know of them.
      const own = nsp._core.sockets.has(sid) ? nsp.adapter.socketRooms(sid) : undefined
      await adapter.persistSession({ sid, pid, rooms: [...(own ?? rooms)], data })
    }),
  restore: (pid, offset) =>
    Effect.tryPromise({
      try: async () => adapter.restoreSession(pid, offset ?? ""),
      catch: () => unknown
    }).pipe(
      Effect.flatMap((value) => {
        const restored = toRestored(value)
        return restored === undefined ? Effect.fail(unknown) : Effect.succeed(restored)
      })
    )
})

/** How the sockets of a namespace are recovered. */
export interface Sessions {
  readonly adapter: NamespaceAdapter
  /** Whether the adapter delivers events itself. */
  readonly foreign: boolean
  /** What our `Adapter` keeps, whatever a class that extends it makes of it. */
  readonly memory: InMemoryStore | undefined
}

/** The sessions of a namespace with this adapter; `undefined` where its sockets are not recovered. */
export const make = (nsp: AnyNamespace, adapter: Adapter.AdapterContract): Sessions | undefined => {
  const { deadlines, settings } = nsp._core.core
  if (settings.recovery === undefined) return undefined
  if (adapter instanceof Adapter.Adapter) {
    const memory = new InMemoryStore(deadlines, settings.recovery)
    if (!Adapter.keepsSessions(adapter)) return { adapter: InMemoryAdapter.make(memory), foreign: false, memory }
    const methods = bySessionMethods(nsp, adapter)
    const store: RecoveryStore = {
      append: (target, event, flags, done) => memory.append(target, event, flags, done),
      get position() {
        return memory.position
      },
      ...methods
    }
    return { adapter: InMemoryAdapter.make(store), foreign: false, memory }
  }
  const keeper = adapter as Partial<Adapter.SessionKeeper>
  if (typeof keeper.persistSession !== "function" || typeof keeper.restoreSession !== "function") {
    return { adapter: InMemoryAdapter.make(undefined), foreign: true, memory: undefined }
  }
  const store: RecoveryStore = {
    // Events go around the namespace.
    append: (_target, _event, _flags, done) => done(undefined),
    position: undefined,
    ...bySessionMethods(nsp, keeper as Adapter.SessionKeeper)
  }
  return { adapter: InMemoryAdapter.make(store), foreign: true, memory: undefined }
}
