import * as Effect from "effect/Effect"
import { server } from "./calls.ts"

server.on("message", (text) => Effect.succeed({ id: text }))
