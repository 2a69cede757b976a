import { assert, describe, it } from "@effect/vitest"
import { AsyncApi, ContractDiff } from "effect-socketio/asyncapi"
import { Event, Namespace } from "effect-socketio/contract"
import * as Schema from "effect/Schema"

const documentOf = (...contracts: ReadonlyArray<Namespace.Any>) =>
  AsyncApi.fromContracts(contracts, { title: "Test", version: "1.0.0" })

const client = (args: Event.ArgsInput, more: object = {}): Namespace.Any =>
  Namespace.make("/n", { fromClient: { e: Event.make({ args: args as [], ...more }) } })

const server = (args: Event.ArgsInput, more: object = {}): Namespace.Any =>
  Namespace.make("/n", { fromServer: { e: Event.make({ args: args as [], ...more }) } })

const verdict = (before: Namespace.Any, now: Namespace.Any): "same" | "compatible" | "breaking" => {
  const changes = ContractDiff.compare(documentOf(before), documentOf(now))
  return changes.length === 0 ? "same" : changes[0]!.breaking ? "breaking" : "compatible"
}

interface Tree {
  readonly name: string
  readonly children: ReadonlyArray<Tree>
}
const Tree = Schema.Struct({
  name: Schema.String,
  children: Schema.Array(Schema.suspend((): Schema.Codec<Tree> => Tree))
}).annotate({ identifier: "Tree" })
const LargerTree = Schema.Struct({
  name: Schema.Union([Schema.String, Schema.Finite]),
  children: Schema.Array(Schema.suspend((): Schema.Codec<Tree> => Tree))
}).annotate({ identifier: "LargerTree" })

const { Finite, Int, Literals, Struct, Union } = Schema
const Text = Schema.String

/** Old and new arguments, and the verdict where clients send them; where the server sends them it is that of the reverse. */
const cases: ReadonlyArray<
  readonly [what: string, old: Event.ArgsInput, now: Event.ArgsInput, asClient: string, asServer: string]
> = [
  ["nothing", [Text, Struct({ a: Int })], [Text, Struct({ a: Int })], "same", "same"],
  ["another type", [Text], [Finite], "breaking", "breaking"],
  ["a wider type", [Int], [Finite], "compatible", "breaking"],
  ["one alternative more", [Text], [Union([Text, Finite])], "compatible", "breaking"],
  ["one literal more", [Literals(["a"])], [Literals(["a", "b"])], "compatible", "breaking"],
  ["a literal in place of text", [Text], [Literals(["a"])], "breaking", "compatible"],
  ["a required field more", [Struct({ a: Text })], [Struct({ a: Text, b: Text })], "breaking", "compatible"],
  ["an optional field more", [Struct({ a: Text })], [Struct({ a: Text, b: Schema.optional(Text) })], "same", "same"],
  [
    "a field that is optional now",
    [Struct({ a: Text })],
    [Struct({ a: Schema.optional(Text) })],
    "compatible",
    "breaking"
  ],
  ["a field of another type", [Struct({ a: Text })], [Struct({ a: Finite })], "breaking", "breaking"],
  ["an argument more", [Text], [Text, Text], "breaking", "breaking"],
  ["an optional argument more", [Text], [Text, Schema.optional(Text)], "compatible", "breaking"],
  ["a lower limit", [Text], [Text.check(Schema.isMaxLength(5))], "breaking", "compatible"],
  [
    "a higher limit",
    [Text.check(Schema.isMaxLength(5))],
    [Text.check(Schema.isMaxLength(9))],
    "compatible",
    "breaking"
  ],
  ["elements of another type", [Schema.Array(Text)], [Schema.Array(Finite)], "breaking", "breaking"],
  ["text in place of bytes", [Schema.Uint8Array], [Text], "breaking", "breaking"],
  ["a recursive schema, the same", [Tree], [Tree], "same", "same"],
  ["a recursive schema that takes more", [Tree], [LargerTree], "compatible", "breaking"],
  ["anything in place of something", [Text], [Schema.Unknown], "compatible", "breaking"]
]

describe("ContractDiff", () => {
  for (const [what, old, now, asClient, asServer] of cases) {
    it(`${what}: ${asClient} where clients send it, ${asServer} where the server does`, () => {
      assert.strictEqual(verdict(client(old), client(now)), asClient)
      assert.strictEqual(verdict(server(old), server(now)), asServer)
    })
  }

  it("acknowledgements go the other way than their events", () => {
    assert.strictEqual(verdict(client([], { ack: Int }), client([], { ack: Finite })), "breaking")
    assert.strictEqual(verdict(client([], { ack: Finite }), client([], { ack: Int })), "compatible")
    assert.strictEqual(verdict(server([], { ack: Int }), server([], { ack: Finite })), "compatible")
    assert.strictEqual(verdict(client([]), client([], { ack: Int })), "breaking")
    assert.strictEqual(verdict(client([], { ack: Int }), client([])), "breaking")
  })

  it("events and namespaces that came or went", () => {
    const none = Namespace.make("/n", {})
    assert.strictEqual(verdict(none, client([])), "compatible")
    assert.strictEqual(verdict(client([]), none), "breaking")
    const changes = ContractDiff.compare(documentOf(none), documentOf(Namespace.make("/other", {})))
    assert.deepStrictEqual(
      changes.map(({ breaking, channel, what }) => [breaking, channel, what]),
      [
        [true, "n", "the namespace was removed"],
        [false, "other", "the namespace is new"]
      ]
    )
  })

  it("says where and why, breaking changes first", () => {
    const old = Namespace.make("/n", {
      auth: Struct({ token: Text }),
      fromClient: { a: Event.make({ args: [Struct({ room: Text })] }) }
    })
    const now = Namespace.make("/n", {
      auth: Struct({ token: Text, user: Text }),
      fromClient: { a: Event.make({ args: [Struct({ room: Finite })] }), b: Event.make({ args: [] }) }
    })
    assert.deepStrictEqual(ContractDiff.compare(documentOf(old), documentOf(now)), [
      { breaking: true, channel: "n", message: "connect", what: "user is required now" },
      { breaking: true, channel: "n", message: "fromClient.a", what: "[0].room must be number now, was string" },
      { breaking: false, channel: "n", message: "fromClient.b", what: "the event is new" }
    ])
  })
})
