/** Servers of one cluster with clients, for the suites. */
import { Event, Namespace } from "effect-socketio/contract"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { Adapter } from "../../../src/adapter/Adapter.ts"
import * as SocketServer from "../../../src/socket/SocketServer.ts"
import * as Fake from "../../socket/FakeSession.ts"
import type { Cluster } from "./Harness.ts"
import { until, untilEqual } from "./Waiting.ts"

/** An error of the contract that travels between servers. */
export class Refused extends Schema.TaggedError<Refused>()("Refused", { why: Schema.String }) {}

/** What the servers of the suites speak. */
export const Chat = Namespace.make("/chat", {
  data: Schema.Struct({ name: Schema.String }),
  fromClient: {
    join: Event.make({ args: [Schema.String] }),
    leave: Event.make({ args: [Schema.String] })
  },
  fromServer: {
    said: Event.make({ args: [Schema.Unknown] }),
    vote: Event.make({ args: [], ack: Schema.Boolean })
  },
  betweenServers: {
    reload: Event.make({ args: [Schema.Unknown] }),
    load: Event.make({ args: [], ack: Schema.Finite, error: Refused })
  }
})

/** The name of their namespace. */
export const nsp = "/chat"

const ChatLive = SocketServer.namespace(Chat, (socket) =>
  Effect.andThen(
    socket.setData({ name: "someone" }),
    Effect.andThen(
      socket.on("join", (room) => socket.join(room)),
      socket.on("leave", (room) => socket.leave(room))
    )
  )
)

const handleOf = (server: Fake.TestServer) => SocketServer.handle(Chat).pipe(Effect.provide(server.context))

/** A server of the cluster. */
export interface Node {
  readonly adapter: Adapter["Service"]
  readonly server: Fake.TestServer
  readonly chat: Effect.Success<ReturnType<typeof handleOf>>
  /** A client of this node, connected. */
  client(): Client
}

/** A client of a node. */
export interface Client {
  readonly fake: Fake.FakeClient
  readonly id: string
  /** What it was told, in order. */
  readonly heard: () => Array<unknown>
  /** Enters a room, which the other nodes can use from then on. */
  readonly join: (room: string) => Effect.Effect<void>
  /** Waits for the question `vote` and answers it. */
  readonly vote: (value: unknown) => Effect.Effect<void>
}

const clientOf = (server: Fake.TestServer): Client => {
  const fake = server.connected(nsp)
  const id = fake.sid(nsp)!
  const questions = (): Array<number> =>
    fake.packets.flatMap(({ type, id, data }) =>
      type === 2 && id !== undefined && (data as ReadonlyArray<unknown>)[0] === "vote" ? [id] : []
    )
  let answered = 0
  return {
    fake,
    id,
    heard: () => fake.events.filter(([name]) => name === "said").map(([, text]) => text),
    join: (room) =>
      Effect.suspend(() => {
        fake.emit(nsp, "join", room)
        // Joined at once; brokers that subscribe to rooms may need a moment.
        return server.server.core.registry.get(nsp)?.adapter?.subscribed(room).pipe(Effect.orDie) ?? Effect.void
      }),
    vote: (value) =>
      Effect.andThen(
        until("a question", () => questions().length > answered),
        Effect.sync(() => fake.answer(nsp, questions()[answered++]!, value))
      )
  }
}

/** A server over an adapter. */
export const over = (adapter: Adapter["Service"]): Effect.Effect<Node, unknown, Scope.Scope> =>
  Effect.gen(function* () {
    const server = yield* Fake.make(ChatLive, {}, Layer.succeed(Adapter, adapter))
    return { adapter, server, chat: yield* handleOf(server), client: () => clientOf(server) }
  })

/** Waits until each node knows of all. */
export const acquainted = (...nodes: ReadonlyArray<Pick<Node, "chat">>): Effect.Effect<void, unknown> =>
  Effect.forEach(nodes, ({ chat }) => untilEqual("the nodes know each other", chat.serverCount, nodes.length), {
    discard: true,
    concurrency: "unbounded"
  })

/** Three servers that know each other. */
export const three = (cluster: Cluster): Effect.Effect<readonly [Node, Node, Node], unknown, Scope.Scope> =>
  Effect.gen(function* () {
    const make = Effect.flatMap(cluster.node, over)
    const nodes = yield* Effect.all([make, make, make], { concurrency: "unbounded" })
    yield* acquainted(...nodes)
    return nodes
  })
