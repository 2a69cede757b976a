/** Workers and their primary in one process, over the real routing: messages are copied as between processes, and are on their way for a turn. */
import { ClusterRouter, type RouterPeer } from "../../../src/adapter/process/ClusterRouter.ts"
import { messageSource } from "../../../src/adapter/process/ClusterSource.ts"
import type { WorkerChannel } from "../../../src/adapter/process/WorkerChannel.ts"

/** A worker. */
export interface Worker {
  readonly channel: WorkerChannel
  readonly peer: RouterPeer
  /** Ends it as `kill -9` does; the primary learns it if `noticed`. */
  kill(noticed: boolean): void
}

/** A primary with workers. */
export interface Machine {
  readonly router: ClusterRouter
  worker(): Worker
  /** Something that arrives at all workers. */
  inject(namespace: string, payload: string): void
}

/** A primary without workers. */
export const make = (): Machine => {
  const peers = new Set<RouterPeer>()
  const router = new ClusterRouter(() => peers)
  const worker = (): Worker => {
    const listeners = new Set<(value: unknown) => void>()
    const ends = new Set<() => void>()
    let alive = true
    const peer: RouterPeer = {
      send(message) {
        const copy: unknown = structuredClone(message)
        setImmediate(() => {
          if (alive) for (const listener of listeners) listener(copy)
        })
      }
    }
    peers.add(peer)
    return {
      peer,
      channel: {
        get connected() {
          return alive
        },
        send(message, sent) {
          const copy: unknown = structuredClone(message)
          setImmediate(() => {
            sent(null)
            if (alive) router.receive(peer, copy)
          })
        },
        listen(onMessage, onDisconnect) {
          listeners.add(onMessage)
          ends.add(onDisconnect)
          return () => {
            listeners.delete(onMessage)
            ends.delete(onDisconnect)
          }
        }
      },
      kill(noticed) {
        alive = false
        peers.delete(peer)
        if (noticed) router.gone(peer)
        for (const end of ends) end()
      }
    }
  }
  return {
    router,
    worker,
    inject(nsp, payload) {
      for (const peer of peers) peer.send({ source: messageSource, nsp, type: payload })
    }
  }
}
