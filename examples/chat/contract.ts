/** The chat, as both ends see it: imported by the server and by the page. */
import { Event, Namespace } from "effect-socketio/contract"
import * as Schema from "effect/Schema"

/** One may only speak in a room that one has joined. */
export class NotInRoom extends Schema.TaggedError<NotInRoom>()("NotInRoom", { room: Schema.String }) {
  override get message() {
    return `you have not joined ${this.room}`
  }
}

const Username = Schema.String.check(Schema.isBetweenLength(1, 24))
const Room = Schema.String.check(Schema.isBetweenLength(1, 100))
const Text = Schema.String.check(Schema.isBetweenLength(1, 2000))

/** What was said, as everyone in the room receives it. `at` is in epoch milliseconds. */
export const Message = Schema.Struct({
  id: Schema.String,
  room: Schema.String,
  from: Schema.String,
  text: Schema.String,
  at: Schema.Int
})

export const Chat = Namespace.make("/chat", {
  auth: Schema.Struct({ username: Username }),
  authMessage: "invalid username",
  data: Schema.Struct({ username: Schema.String }),
  fromClient: {
    join: Event.make({ args: [Room], ack: Schema.Struct({ members: Schema.Array(Schema.String) }) }),
    leave: Event.make({ args: [Room] }),
    message: Event.make({ args: [Room, Text], ack: Schema.Struct({ id: Schema.String }), error: NotInRoom }),
    typing: Event.make({ args: [Room] })
  },
  fromServer: {
    message: Event.make({ args: [Message] }),
    presence: Event.make({ args: [Schema.Struct({ room: Schema.String, members: Schema.Array(Schema.String) })] }),
    typing: Event.make({ args: [Schema.Struct({ room: Schema.String, from: Schema.String })] })
  }
})
