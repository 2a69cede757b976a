/** The contract: one value, imported by the server, by the client and by the tests. */
import { Event, Namespace } from "effect-socketio/contract"
import * as Schema from "effect/Schema"

/** What sending a message may fail with; the client gets it as this very error. */
export class RoomClosed extends Schema.TaggedError<RoomClosed>()("RoomClosed", { room: Schema.String }) {}

/** What a connection may be refused with. */
export class Unauthorized extends Schema.TaggedError<Unauthorized>()("Unauthorized", { hint: Schema.String }) {}

/** What a client authenticates with. */
export const Token = Schema.Struct({ token: Schema.String })

export const Chat = Namespace.make("/chat", {
  auth: Token,
  refusal: Unauthorized,
  fromClient: {
    message: Event.make({
      args: [Schema.String, Schema.String],
      ack: Schema.Struct({ id: Schema.Finite }),
      error: RoomClosed
    }),
    picture: Event.make({ args: [Schema.Uint8Array], ack: Schema.Finite }),
    typing: Event.make({ args: [Schema.Boolean] })
  },
  fromServer: {
    message: Event.make({ args: [Schema.String, Schema.String] }),
    vote: Event.make({ args: [Schema.String], ack: Schema.Boolean })
  }
})
