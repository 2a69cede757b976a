import * as Effect from "effect/Effect"
import { server } from "./calls.ts"

server.on("mesage", () => Effect.void)
