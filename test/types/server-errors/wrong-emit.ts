import { socket } from "./calls.ts"

socket.emit("sad", "a", "b")
