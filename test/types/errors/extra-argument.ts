import { client } from "./calls.ts"

client.emit("message", "hi", 2)
