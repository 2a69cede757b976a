/** The contract that the behaviour suites speak: one event for each thing that can happen. */
import * as Schema from "effect/Schema"
import { Event, Namespace } from "../../src/contract/index.ts"

/** What `join` and `guarded` may fail with. */
export class RoomClosed extends Schema.TaggedError<RoomClosed>()("RoomClosed", { room: Schema.String }) {}

/** What the middleware refuses with. */
export class Unauthorized extends Schema.TaggedError<Unauthorized>()("Unauthorized", { why: Schema.String }) {}

const Deep = Schema.Struct({ name: Schema.String, parts: Schema.Array(Schema.Uint8Array) })

/** The namespace of the suites. */
export const Lab = Namespace.make("/lab", {
  auth: Schema.Struct({ user: Schema.String }),
  refusal: Unauthorized,
  data: Schema.Struct({ user: Schema.String }),
  fromClient: {
    nothing: Event.make({ args: [] }),
    note: Event.make({ args: [Schema.String] }),
    many: Event.make({
      args: [Schema.String, Schema.Finite, Schema.Boolean, Schema.Null, Schema.Array(Schema.Finite)],
      ack: Schema.Finite
    }),
    rest: Event.make({
      args: Schema.TupleWithRest(Schema.Tuple([]), [Schema.String]),
      ack: Schema.Array(Schema.String)
    }),
    text: Event.make({ args: [Schema.String], ack: Schema.String }),
    bytes: Event.make({ args: [Schema.Uint8Array], ack: Schema.Uint8Array }),
    deep: Event.make({ args: [Deep], ack: Deep }),
    join: Event.make({ args: [Schema.String], ack: Schema.Array(Schema.String), error: RoomClosed }),
    leave: Event.make({ args: [Schema.String], ack: Schema.Array(Schema.String) }),
    say: Event.make({ args: [Schema.String, Schema.String], ack: Schema.Finite }),
    shout: Event.make({ args: [Schema.String, Schema.String], ack: Schema.Finite }),
    poll: Event.make({ args: [Schema.String], ack: Schema.Array(Schema.String) }),
    crash: Event.make({ args: [], error: RoomClosed }),
    never: Event.make({ args: [], ack: Schema.Finite }),
    turn: Event.make({ args: [Schema.Finite], ack: Schema.Finite, concurrency: 1 }),
    askMe: Event.make({ args: [Schema.String], ack: Schema.String }),
    leaveMe: Event.make({ args: [Schema.Boolean] })
  },
  fromServer: {
    welcome: Event.make({ args: [Schema.String] }),
    said: Event.make({ args: [Schema.String, Schema.String] }),
    count: Event.make({ args: [Schema.Finite] }),
    tick: Event.make({ args: [Schema.Finite] }),
    pieces: Event.make({ args: [Schema.String, Schema.Uint8Array, Deep] }),
    question: Event.make({ args: [Schema.String], ack: Schema.String })
  }
})
