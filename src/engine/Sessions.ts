/**
 * The sessions of a server by id.
 */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import type { EngineSession } from "./Session.ts"

/**
 * The registry. A session that was closed stays until its peer has been told, so that a late poll still finds it; `count` is of
 * open ones, Engine.IO's `clientsCount`.
 */
export class Sessions extends Context.Service<
  Sessions,
  {
    readonly count: number
    get(id: string): EngineSession | undefined
    /** `false` if the id is taken; then nothing changes. */
    add(session: EngineSession): boolean
    remove(session: EngineSession): void
    /** Open and closing ones, a snapshot. */
    values(): ReadonlyArray<EngineSession>
  }
>()("effect-socketio/engine/Sessions") {}

/** An empty registry. */
export const makeUnsafe = (): Sessions["Service"] => {
  const byId = new Map<string, EngineSession>()
  return {
    get count() {
      let closing = 0
      for (const session of byId.values()) if (session.closed !== undefined) closing++
      return byId.size - closing
    },
    get: (id) => byId.get(id),
    add(session) {
      if (byId.has(session.id)) return false
      byId.set(session.id, session)
      return true
    },
    remove(session) {
      if (byId.get(session.id) === session) byId.delete(session.id)
    },
    values: () => [...byId.values()]
  }
}

/** A registry that other parts of the program may look at too. */
export const layer: Layer.Layer<Sessions> = Layer.sync(Sessions, makeUnsafe)
