import { client } from "./calls.ts"

client.emit("typing", "yes")
