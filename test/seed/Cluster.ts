/** Stand-in for a cluster: servers of one process joined by an adapter written for Socket.IO's own contract. */
import { ClusterAdapter, type ClusterMessage, type ClusterResponse, type ServerId } from "socket.io-adapter"

type Constructor = new (nsp: { readonly name: string }) => ClusterAdapter

/** The class of the adapters of one cluster; what they tell each other takes a turn. */
export const clusterAdapter = (): Constructor => {
  const members = new Set<InProcess>()

  class InProcess extends ClusterAdapter {
    constructor(nsp: { readonly name: string }) {
      super(nsp)
      members.add(this)
    }

    #peers(): ReadonlyArray<InProcess> {
      return [...members].filter((each) => each.nsp.name === this.nsp.name)
    }

    protected override doPublish(message: ClusterMessage & { nsp: string; uid: ServerId }): Promise<string> {
      for (const peer of this.#peers()) {
        if (peer !== this) setImmediate(() => peer.onMessage(message))
      }
      return Promise.resolve("")
    }

    protected override doPublishResponse(
      requester: ServerId,
      response: ClusterResponse & { nsp: string; uid: ServerId }
    ): Promise<void> {
      for (const peer of this.#peers()) {
        if (peer.uid === requester) setImmediate(() => peer.onResponse(response))
      }
      return Promise.resolve()
    }

    override serverCount(): Promise<number> {
      return Promise.resolve(this.#peers().length)
    }

    override close(): void {
      members.delete(this)
    }
  }
  return InProcess
}
