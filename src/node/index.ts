/** Entry "effect-socketio/node": Node's servers as hosts. */
export * as NodeEngine from "./NodeEngine.ts"
