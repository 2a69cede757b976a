/**
 * Contracts as AsyncAPI 3.0 documents: a channel for each namespace, operations as the server has them (it receives what clients emit), replies
 * for acknowledgements, the auth of CONNECT and its refusals; with examples made from the schemas.
 */
import type { Event, Namespace } from "../contract/index.ts"
import * as Examples from "./Examples.ts"
import { type Json, type JsonObject, PayloadSchemas } from "./PayloadSchemas.ts"

/** What a document says beyond the contracts. */
export interface Options {
  readonly title: string
  /** The version of the contracts, which is the program's own matter: "1.2.0". */
  readonly version: string
  readonly description?: string | undefined
  /** Where the server can be reached, by name: `{ production: "wss://chat.example.com" }`. */
  readonly servers?: Readonly<Record<string, string>> | undefined
  /** Whether events between servers are described too. Default false: they are nobody else's business. */
  readonly betweenServers?: boolean | undefined
}

/** A document: plain JSON. */
export type AsyncApiDocument = JsonObject

/** A part without what is absent. */
const object = (entries: Readonly<Record<string, Json | undefined>>): JsonObject =>
  Object.fromEntries(Object.entries(entries).filter((entry): entry is [string, Json] => entry[1] !== undefined))

/** A name that AsyncAPI takes as a key of components: anything else becomes "_" and its code. */
const key = (name: string): string =>
  name.replace(/[^A-Za-z0-9.-]/g, (character) => `_${character.codePointAt(0)!.toString(16)}_`)

/** The key of a namespace's channel. */
export const channelKey = (path: string): string =>
  path === "/" ? "main" : key(path.replace(/^\//, "").replace(/\//g, "."))

/** The faults that an answer of an event with `error` may carry; see docs/wire-acks.md. */
const faults: ReadonlyArray<Json> = [
  {
    type: "object",
    required: ["_tag", "event", "path", "message"],
    properties: {
      _tag: { const: "InvalidPayload" },
      event: { type: "string" },
      path: { type: "array", items: { type: ["string", "number"] } },
      message: { type: "string" }
    }
  },
  {
    type: "object",
    required: ["_tag", "event"],
    properties: { _tag: { const: "HandlerFailed" }, event: { type: "string" } }
  }
]

const envelope = (value: Json | undefined, error: Json): Json => ({
  oneOf: [
    {
      type: "object",
      required: value === undefined ? ["ok"] : ["ok", "value"],
      properties: object({ ok: { const: true }, value })
    },
    {
      type: "object",
      required: ["ok", "error"],
      properties: { ok: { const: false }, error: { anyOf: [error, ...faults] } }
    }
  ]
})

const single = (payload: Json): Json => ({ type: "array", items: [payload], minItems: 1, maxItems: 1 })

class Document {
  readonly #schemas = new PayloadSchemas()
  readonly #channels: Record<string, Json> = {}
  readonly #operations: Record<string, Json> = {}

  add(contract: Namespace.Any, betweenServers: boolean): void {
    const channel = channelKey(contract.path)
    const messages: Record<string, Json> = {}
    this.#connect(contract, channel, messages)
    this.#events(contract.fromClient, "receive", channel, messages)
    this.#events(contract.fromServer, "send", channel, messages)
    if (betweenServers) this.#events(contract.betweenServers, "send", channel, messages, "betweenServers.")
    const parameters = Array.from(contract.path.matchAll(/:([A-Za-z_]\w*)/g), ([, name]) => name!)
    this.#channels[channel] = object({
      address: contract.kind === "pattern" ? null : contract.path.replace(/:([A-Za-z_]\w*)/g, "{$1}"),
      title: `Namespace ${contract.path}`,
      description: contract.kind === "pattern" ? `Namespaces whose name matches ${contract.path}.` : undefined,
      parameters:
        parameters.length === 0
          ? undefined
          : Object.fromEntries(parameters.map((name) => [name, { description: `The part ":${name}" of the name.` }])),
      messages
    })
  }

  /** CONNECT and its refusal. */
  #connect(contract: Namespace.Any, channel: string, messages: Record<string, Json>): void {
    const { auth, refusal } = contract
    messages["connect"] = object({
      name: "connect",
      title: "CONNECT",
      summary: "The client asks for the namespace; the payload is its auth.",
      payload: auth.schema === undefined ? { type: "object" } : this.#schemas.use(auth.schema, auth.hasBinary),
      examples: this.#examples(auth.schema, (value) => auth.encode(value))
    })
    messages["connected"] = {
      name: "connected",
      title: "CONNECT, answered",
      payload: { type: "object", required: ["sid"], properties: { sid: { type: "string" } } }
    }
    messages["connect_error"] = {
      name: "connect_error",
      title: "CONNECT_ERROR",
      summary: "The namespace refuses; `data` is the declared refusal.",
      payload: object({
        type: "object",
        required: ["message"],
        properties: object({
          message: { type: "string" },
          data: refusal.schema === undefined ? undefined : this.#schemas.use(refusal.schema, true)
        })
      })
    }
    this.#operations[`${channel}.connect`] = {
      action: "receive",
      channel: { $ref: `#/channels/${channel}` },
      messages: [{ $ref: `#/channels/${channel}/messages/connect` }],
      reply: {
        channel: { $ref: `#/channels/${channel}` },
        messages: ["connected", "connect_error"].map((name) => ({ $ref: `#/channels/${channel}/messages/${name}` }))
      }
    }
  }

  #events(
    events: Namespace.AnyEvents,
    action: "receive" | "send",
    channel: string,
    messages: Record<string, Json>,
    prefix = action === "receive" ? "fromClient." : "fromServer."
  ): void {
    for (const [name, event] of Object.entries(events)) {
      const message = prefix + key(name)
      messages[message] = object({
        name,
        title: name,
        summary: "The payload is the argument list of the event.",
        payload:
          event.argsSchema === undefined
            ? { type: "array" }
            : this.#schemas.use(event.argsSchema, event.codec.argsHaveBinary),
        examples: this.#examples(event.argsSchema, (value) => event.codec.encodeArgs(value))
      })
      const answer = this.#answer(event)
      if (answer !== undefined) {
        messages[`${message}.ack`] = {
          name: `${name}, acknowledged`,
          title: `${name}, acknowledged`,
          summary: "The payload is the argument list of the acknowledgement.",
          payload: single(answer)
        }
      }
      this.#operations[`${channel}.${message}`] = object({
        action,
        channel: { $ref: `#/channels/${channel}` },
        messages: [{ $ref: `#/channels/${channel}/messages/${message}` }],
        reply:
          answer === undefined
            ? undefined
            : {
                channel: { $ref: `#/channels/${channel}` },
                messages: [{ $ref: `#/channels/${channel}/messages/${message}.ack` }]
              }
      })
    }
  }

  /** What an acknowledgement holds; `undefined` where there is none. */
  #answer({ ackSchema, codec, errorSchema }: Event.Any): Json | undefined {
    const value = ackSchema === undefined ? undefined : this.#schemas.use(ackSchema, codec.ackHasBinary)
    return errorSchema === undefined ? value : envelope(value, this.#schemas.use(errorSchema, codec.ackHasBinary))
  }

  #examples(
    schema: Event.Any["argsSchema"],
    encode: Parameters<typeof Examples.make>[1]
  ): ReadonlyArray<Json> | undefined {
    if (schema === undefined) return undefined
    const payload = Examples.make(schema, encode)
    return payload === undefined ? undefined : [{ payload }]
  }

  finish({ description, servers, title, version }: Options): AsyncApiDocument {
    return object({
      asyncapi: "3.0.0",
      info: object({ title, version, description }),
      defaultContentType: "application/json",
      servers:
        servers === undefined
          ? undefined
          : Object.fromEntries(Object.entries(servers).map(([name, url]) => [key(name), serverOf(url)])),
      channels: this.#channels,
      operations: this.#operations,
      components: { schemas: this.#schemas.named }
    })
  }
}

const serverOf = (text: string): Json => {
  const { host, pathname, protocol } = new URL(text)
  return object({
    host,
    pathname: pathname === "/" ? undefined : pathname,
    protocol: protocol.replace(/:$/, ""),
    description: "Socket.IO (Engine.IO protocol 4): long-polling and WebSocket."
  })
}

/** The document of some contracts. Deterministic: the same contracts give the same document, examples included. */
export const fromContracts = (contracts: ReadonlyArray<Namespace.Any>, options: Options): AsyncApiDocument => {
  const document = new Document()
  for (const contract of contracts) document.add(contract, options.betweenServers === true)
  return document.finish(options)
}
