/**
 * Entry `effect-socketio/asyncapi`: contracts as documents, and what changed between two of them.
 */
export * as AsyncApi from "./AsyncApi.ts"
export * as ContractDiff from "./ContractDiff.ts"
export type { Json, JsonObject } from "./PayloadSchemas.ts"
