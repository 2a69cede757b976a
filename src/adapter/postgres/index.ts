/**
 * Entry "effect-socketio/postgres": the adapter and the emitter over PostgreSQL.
 */
export * as PostgresAdapter from "./PostgresAdapter.ts"
export * as PostgresEmitter from "./PostgresEmitter.ts"
export * as PostgresSchema from "./PostgresSchema.ts"
