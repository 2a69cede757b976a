import { client } from "./calls.ts"

client.emit("mesage", "hi")
