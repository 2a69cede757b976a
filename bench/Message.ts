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

/** Server to client: one delivery of a broadcast. */
export const news = `42["news",${json}]`
