/**
 * A session without a network, and a server to go with it: what a client sends is a call, what it is sent is a list of packets.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { Adapter } from "../../src/adapter/Adapter.ts"
import * as InMemoryAdapter from "../../src/adapter/InMemoryAdapter.ts"
import type {
  Closed,
  Handshake,
  Session,
  SessionObserver,
  SessionSink,
  WriteOptions,
  WriteResult
} from "../../src/engine/Session.ts"
import type { CloseReason } from "../../src/protocol/CloseReason.ts"
import type { FrameGroup } from "../../src/protocol/FrameGroup.ts"
import * as SocketCodec from "../../src/protocol/SocketCodec.ts"
import * as SocketPacket from "../../src/protocol/SocketPacket.ts"
import { Connection } from "../../src/socket/Connection.ts"
import { ErrorSink, type HandlerReport } from "../../src/socket/ErrorSink.ts"
import * as SocketServer from "../../src/socket/SocketServer.ts"

const handshake: Handshake = {
  url: "/socket.io/?EIO=4&transport=websocket",
  query: { EIO: "4", transport: "websocket" },
  headers: { host: "127.0.0.1" },
  address: "127.0.0.1",
  secure: false,
  crossOrigin: false,
  issued: 0
}

let ids = 0

/** A session that records what is written to it. */
export class FakeSession implements Session {
  readonly id = `session-${++ids}`
  readonly handshake = handshake
  request: unknown = undefined
  transportName = "websocket"
  upgraded = false
  bufferedAmount = 0
  readonly buffered: ReadonlyArray<FrameGroup> = []
  closed: Closed | undefined = undefined
  sink: SessionSink | undefined = undefined
  /** Whether volatile groups are taken. */
  writable = true
  paused = false
  readonly groups: Array<FrameGroup> = []
  readonly options: Array<WriteOptions> = []
  readonly observers = new Set<SessionObserver>()

  write(group: FrameGroup, options: WriteOptions): WriteResult {
    if (this.closed !== undefined || (options.volatile && !this.writable)) return "dropped"
    this.groups.push(group)
    this.options.push(options)
    return this.writable ? "sent" : "buffered"
  }

  close(reason: CloseReason, description?: unknown): void {
    if (this.closed !== undefined) return
    this.closed = { reason, description }
    this.sink?.onClose(this.closed)
    for (const observer of this.observers) observer.close?.(this.closed)
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
  }

  observe(observer: SessionObserver): () => void {
    this.observers.add(observer)
    return () => this.observers.delete(observer)
  }
}

/** The client's end of a session. */
export class FakeClient {
  readonly session = new FakeSession()
  readonly codec: SocketCodec.SocketCodec

  constructor(codec: SocketCodec.SocketCodec) {
    this.codec = codec
  }

  /** Sends a message as it is, without the Engine.IO type. */
  raw(message: string | Uint8Array): void {
    this.session.sink!.onMessage(message)
  }

  send(packet: SocketPacket.SocketPacket): void {
    const group = this.codec.encode(packet)
    if (SocketCodec.isEncodeFailure(group)) throw new Error(group.message)
    this.raw(typeof group.head === "string" ? group.head.slice(1) : group.head)
    for (const attachment of group.attachments ?? []) this.raw(attachment)
  }

  connect(nsp: string, auth?: SocketPacket.JsonObject): void {
    this.send({ type: SocketPacket.CONNECT, nsp, data: auth })
  }

  emit(nsp: string, event: string, ...args: Array<unknown>): void {
    this.send({ type: SocketPacket.EVENT, nsp, data: [event, ...args] })
  }

  ask(nsp: string, id: number, event: string, ...args: Array<unknown>): void {
    this.send({ type: SocketPacket.EVENT, nsp, id, data: [event, ...args] })
  }

  answer(nsp: string, id: number, ...args: Array<unknown>): void {
    this.send({ type: SocketPacket.ACK, nsp, id, data: args })
  }

  disconnect(nsp: string): void {
    this.send({ type: SocketPacket.DISCONNECT, nsp })
  }

  /** The network is gone. */
  lose(reason: CloseReason = "transport close"): void {
    this.session.close(reason)
  }

  /** Everything the client was sent. */
  get packets(): Array<SocketPacket.SocketPacket> {
    const decoder = this.codec.makeDecoder()
    const packets: Array<SocketPacket.SocketPacket> = []
    for (const group of this.session.groups) {
      const frames = [typeof group.head === "string" ? group.head.slice(1) : group.head, ...(group.attachments ?? [])]
      for (const frame of frames) {
        const packet = decoder.add(frame)
        if (SocketCodec.isDecodeFailure(packet)) throw new Error(packet.message)
        if (packet !== undefined) packets.push(packet)
      }
    }
    return packets
  }

  /** The frames as text, for what must be exact. */
  get frames(): Array<string> {
    return this.session.groups.map(({ head }) => String(head))
  }

  /** The events: names and arguments. */
  get events(): Array<ReadonlyArray<unknown>> {
    return this.packets.flatMap((packet) => (packet.type === SocketPacket.EVENT ? [packet.data] : []))
  }

  /** The answers by id. */
  get acks(): ReadonlyMap<number | undefined, ReadonlyArray<unknown>> {
    return new Map(
      this.packets.flatMap((packet) => (packet.type === SocketPacket.ACK ? [[packet.id, packet.data] as const] : []))
    )
  }

  /** The socket id that the server gave in a namespace. */
  sid(nsp: string): string | undefined {
    const packet = this.packets.find((packet) => packet.type === SocketPacket.CONNECT && packet.nsp === nsp)
    const sid = (packet?.data as { readonly sid?: unknown } | undefined)?.sid
    return typeof sid === "string" ? sid : undefined
  }

  /** Why the server refused a namespace. */
  refusal(nsp: string): unknown {
    return this.packets.find((packet) => packet.type === SocketPacket.CONNECT_ERROR && packet.nsp === nsp)?.data
  }

  clear(): void {
    this.session.groups.length = 0
    this.session.options.length = 0
  }
}

/** A client with an open session of this server. */
export const clientOf = ({ core }: SocketServer.SocketServerShape): FakeClient => {
  const fake = new FakeClient(core.settings.codec)
  fake.session.sink = new Connection(core, fake.session)
  return fake
}

/** A server over fake sessions. */
export interface TestServer {
  readonly server: SocketServer.SocketServerShape
  readonly context: Context.Context<SocketServer.SocketServer>
  /** What went to the error sink. */
  readonly reports: Array<HandlerReport>
  /** A client with an open session, in no namespace yet. */
  client(): FakeClient
  /** A client in a namespace. */
  connected(nsp: string, auth?: SocketPacket.JsonObject): FakeClient
  /** What `serve` does when its scope closes. */
  readonly stop: Effect.Effect<void>
}

/** Builds namespaces without a host, in the current scope. */
export const make = <A, E, R>(
  namespaces: Layer.Layer<A, E, R>,
  options: SocketServer.Options = {},
  adapter: Layer.Layer<Adapter> = InMemoryAdapter.layer
) =>
  Effect.gen(function* () {
    const reports: Array<HandlerReport> = []
    const sink: ErrorSink = (report) => Effect.sync(() => void reports.push(report))
    const scope = yield* Scope.fork(yield* Effect.scope)
    const context = yield* Effect.context<never>()
    const { make } = Context.get(yield* Layer.buildWithScope(adapter, scope), Adapter)
    const server = SocketServer.makeUnsafe(options, context, scope, make)
    const built = yield* Layer.buildWithScope(namespaces, scope).pipe(
      Effect.provideService(SocketServer.SocketServer, server),
      Effect.provideService(ErrorSink, sink)
    )
    const client = (): FakeClient => clientOf(server)
    const test: TestServer = {
      server,
      context: Context.add(built, SocketServer.SocketServer, server) as Context.Context<SocketServer.SocketServer>,
      reports,
      client,
      connected: (nsp, auth) => {
        const fake = client()
        fake.connect(nsp, auth)
        return fake
      },
      stop: SocketServer.shutDown(server)
    }
    return test
  })
