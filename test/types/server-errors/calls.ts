/** What the wrong calls beside this file share. */
import { Event, Namespace } from "effect-socketio/contract"
import * as Schema from "effect/Schema"
import type { Socket } from "../../../src/socket/Socket.ts"

class RoomClosed extends Schema.TaggedError<RoomClosed>()("RoomClosed", { room: Schema.String }) {}

export const Chat = Namespace.make("/chat", {
  fromClient: {
    message: Event.make({ args: [Schema.String], ack: Schema.Struct({ id: Schema.Finite }), error: RoomClosed }),
    typing: Event.make({ args: [Schema.Boolean] })
  },
  fromServer: {
    said: Event.make({ args: [Schema.String, Schema.String] }),
    vote: Event.make({ args: [Schema.String], ack: Schema.Boolean })
  }
})

export declare const socket: Socket<typeof Chat>
