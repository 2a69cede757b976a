import { socket } from "./calls.ts"

socket.to("lobby").emit("said", "a", 5)
