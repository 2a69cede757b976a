/** The contract of our server: the events of `bench/Message.ts`, with the schemas a program would give them. */
import { Event, Namespace } from "effect-socketio/contract"
import * as Schema from "effect/Schema"

// Key order is that of the message: the generator compares an echo byte for byte.
const Message = Schema.Struct({ user: Schema.String, text: Schema.String, at: Schema.Finite })

/** The main namespace. */
export const Bench = Namespace.make("/", {
  fromClient: {
    echo: Event.make({ args: [Message] }),
    binary: Event.make({ args: [Schema.Uint8Array] }),
    join: Event.make({ args: [Schema.String] }),
    room: Event.make({ args: [Schema.String, Message] }),
    except: Event.make({ args: [Message] }),
    churn: Event.make({ args: [], ack: Schema.Finite }),
    ask: Event.make({ args: [Message], ack: Schema.Struct({ id: Schema.Finite }) }),
    publish: Event.make({ args: [Message] })
  },
  fromServer: {
    echo: Event.make({ args: [Message] }),
    binary: Event.make({ args: [Schema.Uint8Array] }),
    news: Event.make({ args: [Message] })
  }
})
