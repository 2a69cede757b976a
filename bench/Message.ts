/** What every scenario sends: one small chat message, and its Socket.IO packets as text. */

/** The argument of every benchmark event. Key order matters: an echo is compared byte for byte. */
export interface Message {
  readonly user: string
  readonly text: string
  readonly at: number
}

/** A message of an ordinary size: about 100 bytes as JSON. */
export const message: Message = {
  user: "alice",
  text: "a message of the length that people write in a chat",
  at: 1_700_000_000_000
}

const json = JSON.stringify(message)

/** Client to server; the server answers with the same event and the same argument. */
export const echo = `42["echo",${json}]`

/** Client to server with an ack id; the server acknowledges with {@link answer}. */
export const ask = (id: number): string => `42${id}["ask",${json}]`

/** What an `ask` is acknowledged with. */
export const answer = { id: 1 } as const

/** Server to client: the acknowledgement of `ask(id)`. */
export const answered = (id: number): string => `43${id}[${JSON.stringify(answer)}]`

/** Client to server; the server emits {@link news} to every connection, the publisher's own included. */
export const publish = `42["publish",${json}]`

/** Client to server: an event in a room of that name; the server emits {@link news} to all in it. */
export const publishTo = (room: string): string => `42["room","${room}",${json}]`

/** Client to server; the server emits {@link news} to everyone who is not in the room `quiet`. */
export const publishExcept = `42["except",${json}]`

/** Client to server: joins a room. */
export const join = (room: string): string => `42["join","${room}"]`

/** The room that {@link publishExcept} leaves out. */
export const quiet = "quiet"

/** Rooms that `churn` moves sockets through, `r0` and so on. */
export const churnRooms = 1000

/** Client to server, with an ack: every socket of the server joins the next of the rooms and leaves it. */
export const churn = `427["churn"]`

/** Server to client: so many sockets were moved. */
export const churned = (sockets: number): string => `437[${sockets}]`

/** Client to server and back, the head of a message with one attachment. */
export const binary = `451-["binary",{"_placeholder":true,"num":0}]`

/** Server to client: one delivery of a broadcast. */
export const news = `42["news",${json}]`
