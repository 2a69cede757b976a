import { Namespace } from "effect-socketio/contract"
import * as Schema from "effect/Schema"

Namespace.make("/org/:id", { params: { di: Schema.String } })
