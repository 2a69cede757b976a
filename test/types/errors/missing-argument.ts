import { client } from "./calls.ts"

client.emit("upload", "notes.txt")
