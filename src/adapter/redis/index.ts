/**
 * Entry "effect-socketio/redis": adapters and emitters over Redis.
 */
export * as RedisAdapter from "./RedisAdapter.ts"
export * as RedisEmitter from "./RedisEmitter.ts"
export * as RedisShardedAdapter from "./RedisShardedAdapter.ts"
export * as RedisStreamsAdapter from "./RedisStreamsAdapter.ts"
export * as RedisStreamsEmitter from "./RedisStreamsEmitter.ts"
