/** Entry "effect-socketio/node": Node's servers as hosts. */
export * as NodeEngine from "./NodeEngine.ts"
export * as StickyPrimary from "./StickyPrimary.ts"
export * as StickyWorker from "./StickyWorker.ts"
