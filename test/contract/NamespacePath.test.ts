/**
 * Names of namespaces: what a contract answers to, and what it reads from a name.
 */
import { Namespace } from "effect-socketio/contract"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import { assert, describe, it } from "vitest"
import { isName } from "../../src/contract/NamespacePath.ts"
import { property } from "../properties.ts"

describe("a fixed name", () => {
  const Chat = Namespace.make("/chat", {})

  it("answers to itself only", () => {
    assert.deepStrictEqual(Chat.match("/chat", {}), {})
    for (const name of ["", "/", "chat", "/chat/", "/Chat", "/chat?x=1", "/chat2", "//chat"]) {
      assert.isUndefined(Chat.match(name, {}), name)
    }
    assert.deepStrictEqual(Chat.nameOf({}), Exit.succeed("/chat"))
    assert.strictEqual(Chat.kind, "static")
  })

  it("gets the slash that Socket.IO adds", () => {
    assert.strictEqual(Namespace.make("chat", {}).path, "/chat")
    assert.strictEqual(Namespace.make("/", {}).path, "/")
    assert.strictEqual(Namespace.make("", {}).path, "/")
  })

  it("cannot have what would end it in a packet", () => {
    for (const path of ["/a,b", "/a\u001eb", "/a\nb", "/a\u007f"]) {
      assert.throws(() => Namespace.make(path, {}), TypeError)
    }
    assert.doesNotThrow(() => Namespace.make("/größe/a:b/%20 x", {}))
  })
})

describe("a path with parameters", () => {
  const Org = Namespace.make("/org/:id/room/:room", { params: { id: Schema.FiniteFromString.check(Schema.isInt()) } })

  it("reads them from the name", () => {
    assert.deepStrictEqual(Org.match("/org/12/room/a b", {}), { id: 12, room: "a b" })
    assert.strictEqual(Org.kind, "parameters")
    assert.strictEqual(Org.path, "/org/:id/room/:room")
  })

  it("answers to nothing else", () => {
    const names = [
      "/org/x/room/a",
      "/org/1.5/room/a",
      "/org/1/room/",
      "/org//room/a",
      "/org/1/room",
      "/org/1/room/a/",
      "/org/1/room/a/b",
      "org/1/room/a",
      "/org/:id/room/a",
      "/",
      ""
    ]
    for (const name of names) assert.isUndefined(Org.match(name, {}), name)
  })

  it("makes the name from them", () => {
    assert.deepStrictEqual(Org.nameOf({ id: 12, room: "lobby" }), Exit.succeed("/org/12/room/lobby"))
    const issueOf = (params: Readonly<Record<string, unknown>>) => {
      const exit = Org.nameOf(params)
      if (Exit.isSuccess(exit)) throw new Error(exit.value)
      const [reason] = exit.cause.reasons
      if (reason?._tag !== "Fail") throw new Error("expected an issue")
      return reason.error
    }
    assert.deepStrictEqual(issueOf({ id: 1.5, room: "a" }).path, ["id"])
    assert.deepStrictEqual(issueOf({ id: 1 }).path, ["room"])
    for (const room of ["", "a/b", "a,b", "a\nb"]) {
      assert.deepStrictEqual(issueOf({ id: 1, room }), {
        path: ["room"],
        message: "Expected text that can be a part of a namespace name"
      })
    }
  })

  it("what it makes, it reads", async () => {
    let made = 0
    const result = await Effect.runPromise(
      Arbitrary.checkEffect(
        Arbitrary.all([Arbitrary.schema(Schema.Int), Arbitrary.schema(Schema.String)]),
        ([id, room]) =>
          Effect.sync(() => {
            const name = Org.nameOf({ id, room })
            if (Exit.isFailure(name)) return room === "" || room.includes("/") || !isName(`/${room}`)
            made++
            const back = Org.match(name.value, {})
            // A name has no form for the sign of zero.
            return back !== undefined && (back["id"] as number) + 0 === id + 0 && back["room"] === room
          }),
        property(200)
      )
    )
    assert.isUndefined(Arbitrary.formatCheckFailure(result))
    assert.isAbove(made, 20)
  })

  it("matching any name is total", async () => {
    const result = await Effect.runPromise(
      Arbitrary.checkEffect(
        Arbitrary.schema(Schema.String),
        (name) => Effect.sync(() => Org.match(name, undefined) === undefined || name.startsWith("/org/")),
        property(300)
      )
    )
    assert.isUndefined(Arbitrary.formatCheckFailure(result))
    assert.isUndefined(Org.match("/".repeat(1_000_000), {}))
  })

  it("a schema that throws refuses the name", () => {
    const broken = Schema.suspend((): Schema.Codec<string> => {
      throw new Error("broken")
    })
    const Broken = Namespace.make("/:id", { params: { id: broken } })
    assert.isUndefined(Broken.match("/a", {}))
    assert.isTrue(Exit.isFailure(Broken.nameOf({ id: "a" })))
  })

  it("a parameter without a schema is text", () => {
    const Text = Namespace.make("/:id", { params: { id: undefined as never } })
    assert.deepStrictEqual(Text.match("/007", {}), { id: "007" })
    assert.isTrue(Exit.isFailure(Text.nameOf({ id: 7 as never })))
  })

  it("a parameter cannot reach a prototype", () => {
    const Odd = Namespace.make("/:__proto__/:constructor", {})
    const params = Odd.match("/a/b", {})!
    assert.deepStrictEqual(Object.keys(params), ["__proto__", "constructor"])
    assert.strictEqual(Object.getPrototypeOf(params), Object.prototype)
    assert.isTrue(Exit.isFailure(Odd.nameOf({})))
  })

  it("a malformed path is refused where it is written", () => {
    for (const path of ["/:", "/a/:1", "/:a-b", "/:a/:a"]) assert.throws(() => Namespace.make(path, {}), TypeError)
    const params: { readonly di: Schema.ConstraintCodec<unknown, string> } = { di: Schema.String }
    assert.throws(() => Namespace.make("/org/:id", { params: params as never }), /no parameter/)
  })
})

describe("a regular expression", () => {
  it("answers to what it finds, with its groups", () => {
    const Dynamic = Namespace.make(/^\/dynamic-(?<n>\d+)(?<rest>-.*)?$/, {})
    assert.deepStrictEqual(Dynamic.match("/dynamic-101", {}), { n: "101", rest: undefined })
    assert.isUndefined(Dynamic.match("/dynamic-", {}))
    assert.deepStrictEqual(Namespace.make(/^\/a$/, {}).match("/a", {}), {})
    assert.strictEqual(Dynamic.kind, "pattern")
    assert.isTrue(Exit.isFailure(Dynamic.nameOf({})))
  })

  it("a global or sticky one answers to the same name every time", () => {
    for (const flags of ["g", "y", "gy", "gi"]) {
      const pattern = Namespace.make(new RegExp("^/a", flags), {})
      for (let time = 0; time < 3; time++) assert.isDefined(pattern.match("/a", {}), flags)
    }
  })
})

describe("a predicate", () => {
  it("decides by name and auth", () => {
    const Decided = Namespace.make((name, auth) => name.startsWith("/t-") && auth === "secret", {})
    assert.deepStrictEqual(Decided.match("/t-1", "secret"), {})
    assert.isUndefined(Decided.match("/t-1", "other"))
    assert.isUndefined(Decided.match("/x", "secret"))
    assert.strictEqual(Decided.kind, "pattern")
  })

  it("one that throws refuses the name", () => {
    const Throwing = Namespace.make((_name, auth) => (auth as { readonly a: { readonly b: boolean } }).a.b, {})
    assert.isUndefined(Throwing.match("/a", {}))
    assert.isDefined(Throwing.match("/a", { a: { b: true } }))
  })
})
