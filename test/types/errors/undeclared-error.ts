import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { server } from "./calls.ts"

class Unknown extends Data.TaggedError("Unknown")<{}> {}

server.on("message", () => Effect.fail(new Unknown()))
