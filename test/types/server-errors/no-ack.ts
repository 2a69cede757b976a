import { socket } from "./calls.ts"

socket.emitWithAck("said", "a")
