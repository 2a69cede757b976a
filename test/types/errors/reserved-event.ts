import { Event, Namespace } from "effect-socketio/contract"

Namespace.make("/chat", { fromClient: { disconnect: Event.make({ args: [] }) } })
