import * as Effect from "effect/Effect"
import { socket } from "./calls.ts"

export const wrong = socket.on("mesage", () => Effect.void)
