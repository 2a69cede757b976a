import { assert, describe, it } from "@effect/vitest"
import { AsyncApi, type Json, type JsonObject } from "effect-socketio/asyncapi"
import { Event, Namespace } from "effect-socketio/contract"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import { Chat } from "../../examples/chat/contract.ts"

class RoomClosed extends Schema.TaggedError<RoomClosed>()("RoomClosed", { room: Schema.String }) {}
class Unauthorized extends Schema.TaggedError<Unauthorized>()("Unauthorized", {}) {}

const Line = Schema.Struct({ text: Schema.String, at: Schema.Date })

const Org = Namespace.make("/org/:id", {
  auth: Schema.Struct({ token: Schema.String }),
  refusal: Unauthorized,
  fromClient: {
    say: Event.make({ args: [Schema.String], ack: Schema.Struct({ id: Schema.Finite }), error: RoomClosed }),
    upload: Event.make({ args: [Schema.String, Schema.Uint8Array] }),
    "odd name/é": Event.make({ args: [] })
  },
  fromServer: { line: Event.make({ args: [Line] }), vote: Event.make({ args: [], ack: Schema.Boolean }) },
  betweenServers: { reload: Event.make({ args: [] }) }
})

const contracts: ReadonlyArray<Namespace.Any> = [Org, Chat, Namespace.untyped("/"), Namespace.make(/^\/room-\d+$/, {})]

const options = { title: "Orgs", version: "1.0.0", servers: { production: "wss://example.com/realtime" } }

const document = AsyncApi.fromContracts(contracts, options)

const at = (...path: ReadonlyArray<string>): Json | undefined => {
  let current: Json | undefined = document
  for (const name of path) current = (current as JsonObject)[name]
  return current
}

const every = (value: Json, visit: (object: JsonObject) => void): void => {
  if (typeof value !== "object" || value === null) return
  if (!Array.isArray(value)) visit(value as JsonObject)
  for (const item of Object.values(value)) every(item as Json, visit)
}

describe("AsyncApi", () => {
  it("has a channel for each namespace, with its parameters", () => {
    assert.deepStrictEqual(Object.keys(at("channels") as JsonObject), [
      "org._3a_id",
      "chat",
      "main",
      AsyncApi.channelKey(String(/^\/room-\d+$/))
    ])
    assert.strictEqual(at("channels", "org._3a_id", "address"), "/org/{id}")
    assert.deepStrictEqual(Object.keys(at("channels", "org._3a_id", "parameters") as JsonObject), ["id"])
    assert.isNull(at("channels", AsyncApi.channelKey(String(/^\/room-\d+$/)), "address"))
    assert.deepStrictEqual(at("servers", "production"), {
      host: "example.com",
      pathname: "/realtime",
      protocol: "wss",
      description: "Socket.IO (Engine.IO protocol 4): long-polling and WebSocket."
    })
  })

  it("says who sends what, and what is answered", () => {
    const operation = (name: string) => at("operations", `org._3a_id.${name}`) as JsonObject
    assert.strictEqual(operation("connect")["action"], "receive")
    assert.strictEqual(operation("fromClient.say")["action"], "receive")
    assert.strictEqual(operation("fromServer.line")["action"], "send")
    assert.isUndefined(operation("fromServer.line")["reply"])
    assert.isDefined(operation("fromServer.vote")["reply"])
    assert.isDefined(operation("fromClient.odd_20_name_2f__e9_"))
    assert.isUndefined(operation("betweenServers.reload"))
    const internal = AsyncApi.fromContracts([Org], { ...options, betweenServers: true })
    assert.property(internal["operations"], "org._3a_id.betweenServers.reload")
  })

  it("describes payloads as they are on the wire: lists of arguments, envelopes, attachments", () => {
    const payload = (name: string) => at("channels", "org._3a_id", "messages", name, "payload") as JsonObject
    assert.deepStrictEqual(payload("fromClient.say"), {
      type: "array",
      items: [{ type: "string" }],
      minItems: 1,
      maxItems: 1
    })
    assert.include(JSON.stringify(payload("fromClient.say.ack")), '"$ref":"#/components/schemas/RoomClosed')
    assert.include(JSON.stringify(payload("fromClient.say.ack")), "HandlerFailed")
    assert.include(JSON.stringify(payload("fromClient.upload")), "x-socketio-attachment")
    assert.include(JSON.stringify(payload("connect_error")), "#/components/schemas/Unauthorized")
  })

  it("points only at what is there", () => {
    const references: Array<string> = []
    every(document, (object) => {
      if (typeof object["$ref"] === "string") references.push(object["$ref"])
    })
    assert.isAbove(references.length, 20)
    for (const reference of references) {
      const path = reference.slice(2).split("/")
      assert.isDefined(at(...path), reference)
    }
  })

  it("has examples that the contract accepts, always the same", () => {
    let seen = 0
    for (const side of ["fromClient", "fromServer"] as const) {
      for (const [name, event] of Object.entries<Event.Any>(Chat[side])) {
        const examples = at("channels", "chat", "messages", `${side}.${name}`, "examples") as ReadonlyArray<JsonObject>
        for (const example of examples) {
          const decoded = event.codec.decodeArgs(example["payload"] as ReadonlyArray<unknown>)
          assert.isTrue(Exit.isSuccess(decoded), name)
          seen++
        }
      }
    }
    assert.isAbove(seen, 3)
    assert.deepStrictEqual(AsyncApi.fromContracts(contracts, options), document)
  })

  it("has no example where a payload has bytes", () => {
    assert.isUndefined(at("channels", "org._3a_id", "messages", "fromClient.upload", "examples"))
  })
})
