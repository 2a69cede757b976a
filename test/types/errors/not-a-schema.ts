import { Event } from "effect-socketio/contract"

Event.make({ args: [String] })
