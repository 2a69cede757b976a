/**
 * Raw Engine.IO sessions: {@link handshake} and {@link Polling} for cases that place every request by hand, {@link Session} for cases
 * that run over any transport and only care for packets.
 */
import * as assert from "node:assert/strict"
import { ask, type Endpoint, exchange, type Exchange, type Reply } from "./Http.ts"
import { Inbox, within } from "./Wait.ts"
import * as Ws from "./Ws.ts"

/** The separator of packets in a polling payload. */
export const separator = "\x1e"

/** The data of the open packet. */
export interface Handshake {
  readonly sid: string
  readonly upgrades: ReadonlyArray<string>
  readonly pingInterval: number
  readonly pingTimeout: number
  readonly maxPayload: number
}

/** The handshake in an open packet (`0{...}`). */
export const handshakeOf = (packet: unknown): Handshake => {
  assert.ok(typeof packet === "string" && packet.startsWith("0"), `not an open packet: ${String(packet)}`)
  return JSON.parse(packet.slice(1)) as Handshake
}

/** A polling session whose every request is placed by the case. */
export interface Polling {
  readonly endpoint: Endpoint
  readonly sid: string
  readonly handshake: Handshake
  readonly query: Readonly<Record<string, string>>
  /** A GET under way. */
  startPoll(): Exchange
  /** The reply of a GET. */
  poll(): Promise<Reply>
  /** A POST under way. */
  startPost(body: string | Uint8Array): Exchange
  /** The reply of a POST. */
  post(body: string | Uint8Array): Promise<Reply>
}

/** Opens a polling session; its handshake response must hold the open packet (and what the server sends with it in `first`). */
export const polling = async (endpoint: Endpoint): Promise<Polling & { readonly first: ReadonlyArray<string> }> => {
  const reply = await ask(endpoint, { query: { EIO: "4", transport: "polling" } })
  assert.equal(reply.status, 200, `handshake: ${reply.text}`)
  const [open, ...first] = reply.text.split(separator)
  const handshake = handshakeOf(open)
  const query = { EIO: "4", transport: "polling", sid: handshake.sid }
  const startPoll = () => exchange(endpoint, { query })
  const startPost = (body: string | Uint8Array) =>
    exchange(endpoint, { method: "POST", query, body, headers: { "content-type": "text/plain;charset=UTF-8" } })
  return {
    endpoint,
    sid: handshake.sid,
    handshake,
    query,
    first,
    startPoll,
    startPost,
    poll: () => within(startPoll().reply, "the reply to a poll"),
    post: (body) => within(startPost(body).reply, "the reply to a POST")
  }
}

/** Opens a WebSocket session: the connection and its handshake. */
export const websocket = async (
  endpoint: Endpoint
): Promise<{ readonly ws: Ws.Ws; readonly handshake: Handshake; readonly sid: string }> => {
  const ws = await Ws.open(endpoint, { EIO: "4", transport: "websocket" })
  const handshake = handshakeOf(await ws.next())
  return { ws, handshake, sid: handshake.sid }
}

/** How a session gets its transport; `upgrade` starts polling and upgrades before it is handed out. */
export type TransportName = "polling" | "websocket" | "upgrade"

/** All ways to a session. */
export const transports: ReadonlyArray<TransportName> = ["polling", "websocket", "upgrade"]

/** A session over any transport: packets in, packets out. Noops are dropped, pings answered unless `silent`. */
export interface Session {
  readonly transport: TransportName
  readonly sid: string
  readonly handshake: Handshake
  /** Sends packets: over polling in one POST. Settles when they are handed over (WebSocket) or answered (POST). */
  send(...packets: ReadonlyArray<string | Uint8Array>): Promise<void>
  /** The next packet, binary messages as Buffer. */
  next(): Promise<string | Buffer>
  /** Packets that arrived and were not read. */
  readonly pending: number
  /** Settles when the server has ended the session (WebSocket closed, poll refused, close packet), with how it was seen. */
  readonly ended: Promise<string>
  /** Cuts the connection. */
  leave(): void
}

const parsePayload = (text: string): Array<string | Buffer> =>
  text.split(separator).map((packet) => (packet.startsWith("b") ? Buffer.from(packet.slice(1), "base64") : packet))

const toPayload = (packets: ReadonlyArray<string | Uint8Array>): string =>
  packets
    .map((packet) => (typeof packet === "string" ? packet : `b${Buffer.from(packet).toString("base64")}`))
    .join(separator)

/** Options of {@link session}. */
export interface SessionOptions {
  /** Do not answer pings; hand them out as packets. */
  readonly silent?: boolean
}

/** Opens a session over `transport`. */
export const session = async (
  endpoint: Endpoint,
  transport: TransportName,
  options: SessionOptions = {}
): Promise<Session> => {
  if (transport === "websocket") {
    const { ws, handshake } = await websocket(endpoint)
    return overWebSocket(ws, handshake, "websocket", options)
  }
  const opened = await polling(endpoint)
  if (transport === "polling") return overPolling(opened, options)
  return overWebSocket(await upgrade(opened), opened.handshake, "upgrade", options)
}

/** Upgrades a polling session that has no request under way, by the book: probe, the poll released by a noop, upgrade. */
export const upgrade = async (opened: Polling): Promise<Ws.Ws> => {
  const ws = await Ws.open(opened.endpoint, { EIO: "4", transport: "websocket", sid: opened.sid })
  const poll = opened.poll()
  ws.send("2probe")
  assert.equal(await ws.next(), "3probe")
  assert.equal((await poll).text, "6")
  ws.send("5")
  return ws
}

const overWebSocket = (ws: Ws.Ws, handshake: Handshake, transport: TransportName, options: SessionOptions): Session => {
  const inbox = new Inbox<string | Buffer>()
  const pump = async (): Promise<string> => {
    for (;;) {
      const frame = await ws.inbox.next("a frame", 600_000).catch(() => undefined)
      if (frame === undefined) {
        const { code, reason } = await ws.closed
        return `WebSocket closed ${code}${reason === "" ? "" : ` ${reason}`}`
      }
      if (frame === "2" && options.silent !== true) ws.send("3")
      else if (frame !== "6") inbox.push(frame)
    }
  }
  const ended = pump()
  void ended.then((how) => inbox.end(new Error(how)))
  return {
    transport,
    sid: handshake.sid,
    handshake,
    ended,
    send: async (...packets) => {
      for (const packet of packets) ws.send(packet)
    },
    next: () => inbox.next("a packet"),
    get pending() {
      return inbox.size
    },
    leave: () => ws.cut()
  }
}

const overPolling = (opened: Polling & { readonly first: ReadonlyArray<string> }, options: SessionOptions): Session => {
  const inbox = new Inbox<string | Buffer>()
  let left = false
  let current: Exchange | undefined
  let posting: Promise<void> = Promise.resolve()
  const send = (...packets: ReadonlyArray<string | Uint8Array>): Promise<void> => {
    const sent = posting.then(async () => {
      const reply = await opened.post(toPayload(packets))
      assert.deepEqual([reply.status, reply.text], [200, "ok"])
    })
    // The next POST waits for this one, whether it went well or not: posts must not overlap.
    posting = sent.catch(() => undefined)
    return sent
  }
  const take = (packet: string | Buffer) => {
    if (packet === "2" && options.silent !== true) void send("3").catch(() => undefined)
    else if (packet !== "6") inbox.push(packet)
  }
  const pump = async (): Promise<string> => {
    for (;;) {
      if (left) return "left"
      current = opened.startPoll()
      const reply = await current.reply.catch(() => undefined)
      if (reply === undefined) return "poll aborted"
      if (reply.status !== 200) return `poll answered ${reply.status}`
      for (const packet of parsePayload(reply.text)) {
        if (packet === "1") return "close packet"
        take(packet)
      }
    }
  }
  for (const packet of opened.first) take(packet)
  const ended = pump()
  void ended.then((how) => inbox.end(new Error(how)))
  return {
    transport: "polling",
    sid: opened.sid,
    handshake: opened.handshake,
    ended,
    send,
    next: () => inbox.next("a packet"),
    get pending() {
      return inbox.size
    },
    leave: () => {
      left = true
      current?.abort()
    }
  }
}
