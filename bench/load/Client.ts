/** Socket.IO connections of the generator, on the main namespace, by WebSocket or by polling and then an upgrade. */
import * as Message from "../Message.ts"
import * as Frame from "./Frame.ts"
import * as RawHttp from "./RawHttp.ts"
import * as RawWebSocket from "./RawWebSocket.ts"

const path = "/socket.io/?EIO=4&transport="
const connect = Frame.text("40")
const pong = Frame.text("3")
const probe = Frame.text("2probe")
const upgrade = Frame.text("5")
const echo = Frame.text(Message.echo)

/** A connected client; `onPacket` gets Socket.IO packets (the text after Engine.IO's `4` included), `onTurn` the end of a read. */
export interface Client {
  readonly write: (frames: Uint8Array) => void
  onPacket: (buffer: Buffer, start: number, end: number) => void
  onAttachment: (buffer: Buffer, start: number, end: number) => void
  onTurn: () => void
  readonly destroy: () => void
}

const nothing = () => {}

const make = (socket: RawWebSocket.RawWebSocket): Client => {
  const client: Client = {
    write: socket.write,
    onPacket: nothing,
    onAttachment: nothing,
    onTurn: nothing,
    destroy: socket.destroy
  }
  socket.onText = (buffer, start, end) => {
    if (buffer[start] === 0x34) client.onPacket(buffer, start, end)
    else if (buffer[start] === 0x32) socket.write(pong)
  }
  socket.onBinary = (buffer, start, end) => client.onAttachment(buffer, start, end)
  socket.onTurn = () => client.onTurn()
  return client
}

/** TCP, upgrade, Engine.IO handshake and namespace, on WebSocket from the start. */
export const webSocket = async (port: number): Promise<Client> => {
  const socket = await RawWebSocket.open(port, `${path}websocket`)
  return new Promise((resolve, reject) => {
    let opened = false
    socket.onText = (buffer, start, end) => {
      const text = buffer.toString("latin1", start, end)
      if (!opened && text.startsWith("0{")) {
        opened = true
        socket.write(connect)
      } else if (opened && text.startsWith("40{")) {
        resolve(make(socket))
      } else {
        reject(new Error(`unexpected message while connecting: ${text}`))
      }
    }
  })
}

/**
 * What the official client does by default: handshake by polling, the namespace by POST and GET, the probe beside them, and the
 * upgrade when the poll under way has come back. One echo over the WebSocket shows that the server has switched.
 */
export const pollingThenUpgrade = async (port: number): Promise<Client> => {
  const get = RawHttp.make(port)
  const post = RawHttp.make(port)
  const handshake = await get.request("GET", `${path}polling`)
  const sid = /^0\{"sid":"([^"]+)"/.exec(handshake)?.[1]
  if (sid === undefined) throw new Error(`no handshake: ${handshake}`)
  const session = `&sid=${sid}`

  const state = { probed: false, joined: false }
  const poll = async () => {
    // The official client stops polling once the probe has been answered; until then there is always one poll under way.
    while (!state.probed) {
      const payload = await get.request("GET", `${path}polling${session}`)
      if (payload.split("\x1e").some((packet) => packet.startsWith("40{"))) state.joined = true
    }
  }
  const polled = poll()
  const posted = post.request("POST", `${path}polling${session}`, "40")
  const socket = await RawWebSocket.open(port, `${path}websocket${session}`)
  await new Promise<void>((resolve, reject) => {
    socket.onText = (buffer, start, end) => {
      const text = buffer.toString("latin1", start, end)
      if (text === "3probe") resolve()
      else reject(new Error(`unexpected answer to the probe: ${text}`))
    }
    socket.write(probe)
  })
  state.probed = true
  await Promise.all([polled, posted])
  socket.write(upgrade)
  get.destroy()
  post.destroy()
  await new Promise<void>((resolve, reject) => {
    socket.onText = (buffer, start, end) => {
      const text = buffer.toString("latin1", start, end)
      if (text.startsWith("40{")) {
        state.joined = true
        socket.write(echo)
      } else if (state.joined && text === Message.echo) {
        resolve()
      } else if (text !== "6") {
        reject(new Error(`unexpected message after the upgrade: ${text}`))
      }
    }
    if (state.joined) socket.write(echo)
  })
  return make(socket)
}

/** Opens many, at most `concurrency` at a time. */
export const many = async (count: number, concurrency: number, open: () => Promise<Client>): Promise<Array<Client>> => {
  const clients: Array<Client> = []
  let started = 0
  const worker = async () => {
    while (started < count) {
      started++
      clients.push(await open())
    }
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, count) }, worker))
  return clients
}

const pooled: Array<Client> = []

/** Connections of this process that scenarios of one group share: so many, opened when they are first asked for, silent again. */
export const shared = async (count: number, port: number): Promise<ReadonlyArray<Client>> => {
  const missing = count - pooled.length
  if (missing > 0) pooled.push(...(await many(missing, 50, () => webSocket(port))))
  const clients = pooled.slice(0, count)
  for (const client of clients) client.onPacket = client.onAttachment = client.onTurn = nothing
  return clients
}

/** Writes to each client what it is given for it, and returns when the server has handled it: an echo behind it came back. */
export const settleEach = async (
  clients: ReadonlyArray<Client>,
  framesOf: (index: number) => ReadonlyArray<Uint8Array>
): Promise<void> => {
  await Promise.all(
    clients.map(
      (client, index) =>
        new Promise<void>((resolve) => {
          client.onPacket = () => resolve()
          client.write(Buffer.concat([...framesOf(index), echo]))
        })
    )
  )
  for (const client of clients) client.onPacket = nothing
}
