/**
 * Entry "effect-socketio/nats": adapters and emitters over NATS and JetStream.
 */
export * as NatsAdapter from "./NatsAdapter.ts"
export * as NatsBus from "./NatsBus.ts"
export * as NatsEmitter from "./NatsEmitter.ts"
export * as NatsErrors from "./NatsErrors.ts"
export * as NatsJetStreamBus from "./NatsJetStreamBus.ts"
export * as NatsLink from "./NatsLink.ts"
