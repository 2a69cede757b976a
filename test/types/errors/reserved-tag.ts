import { Event } from "effect-socketio/contract"
import * as Schema from "effect/Schema"

Event.make({ args: [], error: Schema.TaggedStruct("HandlerFailed", {}) })
