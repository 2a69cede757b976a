import { assert, describe, it } from "@effect/vitest"
import * as officialAdapter from "socket.io-adapter"
import * as officialMsgpack from "socket.io-msgpack-parser"
import * as officialParser from "socket.io-parser"
import { Adapter, type AdapterConstructor, type OfficialParser, RemoteSocket } from "../../../src/facade/server.ts"
import { msgpack } from "../../../src/protocol/MsgpackCodec.ts"
import { collect, next, pair, serve, settle, ways } from "./serve.ts"

describe("an adapter that extends ours", () => {
  it("is called for what it overrides, and `super` does it", async () => {
    const calls: Array<unknown> = []
    class Logging extends Adapter {
      override init(): void {
        calls.push(["init", this.nsp.name])
      }
      override addAll(id: string, rooms: Set<string>): Promise<void> | void {
        calls.push(["addAll", ...rooms])
        return super.addAll(id, rooms)
      }
      override del(id: string, room: string): Promise<void> | void {
        calls.push(["del", room])
        return super.del(id, room)
      }
      override delAll(id: string): void {
        calls.push(["delAll"])
        super.delAll(id)
      }
      override broadcast(...[packet, opts]: Parameters<Adapter["broadcast"]>): void {
        calls.push(["broadcast", packet.data, ...opts.rooms])
        super.broadcast(packet, opts)
      }
      override close(): void {
        calls.push(["close"])
      }
    }
    const running = await serve({ adapter: Logging })
    const [socket, peer] = await pair(running)
    void socket.join("a")
    void socket.join("b")
    void socket.leave("b")
    assert.deepStrictEqual(socket.rooms, new Set([socket.id, "a"]))
    const heard = next(peer, "x")
    running.io.to("a").emit("x", 1)
    assert.deepStrictEqual(await heard, [1])
    peer.on("ask", (reply: (n: number) => void) => reply(1))
    assert.deepStrictEqual(await running.io.timeout(5000).emitWithAck("ask"), [1])
    const gone = next(socket, "disconnect")
    peer.disconnect()
    await gone
    await running.io.close()
    assert.deepStrictEqual(calls, [
      ["init", "/"],
      ["addAll", socket.id],
      ["addAll", "a"],
      ["addAll", "b"],
      ["del", "b"],
      ["broadcast", ["x", 1], "a"],
      ["delAll"],
      ["close"]
    ])
  })

  it("whose init fails is told, and the server goes on", async () => {
    class Failing extends Adapter {
      override init(): Promise<void> {
        return Promise.reject(new Error("no broker"))
      }
    }
    const { io } = await serve()
    const told = next(io, "listener_error")
    io.adapter(Failing)
    assert.strictEqual(((await told)[0] as Error).message, "no broker")
    assert.strictEqual(io.adapter(), Failing)
    assert.instanceOf(io.of("/").adapter, Failing)
  })
})

describe("the Adapter of the package socket.io-adapter", () => {
  const options = { adapter: officialAdapter.Adapter as unknown as AdapterConstructor }

  it("keeps the rooms itself and writes itself", async () => {
    const running = await serve(options)
    const [one, first] = await pair(running)
    const [two, second] = await pair(running)
    void one.join(["a", "b"])
    void two.join("a")
    assert.deepStrictEqual(one.rooms, new Set([one.id, "a", "b"]))
    const seen = [collect(first, "x"), collect(second, "x")]
    const out: Array<unknown> = []
    one.onAnyOutgoing((...args) => out.push(args))
    running.io.to("a").emit("x", 1, Buffer.from("z"))
    one.to("a").emit("x", 2)
    running.io.except("b").volatile.emit("x", 3)
    await Promise.all([settle(one, first), settle(two, second)])
    assert.deepStrictEqual(seen, [[[1, Buffer.from("z")]], [[1, Buffer.from("z")], [2], [3]]])
    assert.deepStrictEqual(out[0], ["x", 1, Buffer.from("z")])
    void two.leave("a")
    assert.deepStrictEqual(two.rooms, new Set([two.id]))
    const gone = next(one, "disconnect")
    first.disconnect()
    await gone
    assert.deepStrictEqual([...running.io.of("/").adapter.rooms.keys()], [two.id])
  })

  it("asks by its own means", async () => {
    const running = await serve(options)
    for (let i = 0; i < 2; i++) {
      const [, peer] = await pair(running)
      peer.on("ask", (reply: (n: number) => void) => reply(i))
      if (i === 0) peer.on("one", (reply: (n: number) => void) => reply(i))
    }
    assert.sameMembers((await running.io.timeout(5000).emitWithAck("ask")) as Array<number>, [0, 1])
    const error: Error & { responses?: unknown } = await running.io
      .timeout(50)
      .emitWithAck("one")
      .catch((error) => error)
    assert.strictEqual(error.message, "operation has timed out")
    assert.deepStrictEqual(error.responses, [0])
    for (const socket of running.io.sockets.sockets.values()) assert.strictEqual(socket._core.pendingAcks, 0)
  })
})

/** Two servers whose adapters hand messages to each other at once. */
const clustered = (): AdapterConstructor => {
  const members = new Set<InProcess>()
  type Message = Parameters<officialAdapter.ClusterAdapter["publish"]>[0] & { nsp: string; uid: string }
  class InProcess extends officialAdapter.ClusterAdapter {
    static of(nsp: unknown): InProcess {
      return new InProcess(nsp)
    }
    override init(): void {
      members.add(this)
    }
    override close(): void {
      members.delete(this)
    }
    override serverCount(): Promise<number> {
      return Promise.resolve([...members].filter((member) => member.nsp.name === this.nsp.name).length)
    }
    protected override doPublish(message: Parameters<officialAdapter.ClusterAdapter["publish"]>[0]): Promise<string> {
      for (const member of members) {
        if (member !== this && member.nsp.name === this.nsp.name)
          setImmediate(() => member.onMessage(message as Message))
      }
      return Promise.resolve("")
    }
    protected override doPublishResponse(
      to: string,
      response: Parameters<officialAdapter.ClusterAdapter["publishResponse"]>[1]
    ): Promise<void> {
      for (const member of members) {
        if (member.uid === to) setImmediate(() => member.onResponse(response as never))
      }
      return Promise.resolve()
    }
  }
  return InProcess.of as unknown as AdapterConstructor
}

describe("the ClusterAdapter of the package socket.io-adapter", () => {
  it("joins two servers: broadcasts, answers, remote sockets, events between servers", async () => {
    const adapter = clustered()
    const one = await serve({ adapter })
    const two = await serve({ adapter })
    const [socket] = await pair(one)
    const [far, peer] = await pair(two)
    far.data.name = "far"
    const heard = next(peer, "x")
    one.io.emit("x", 1)
    assert.deepStrictEqual(await heard, [1])
    peer.on("ask", (n: number, reply: (n: number) => void) => reply(n + 1))
    assert.deepStrictEqual(await one.io.to(far.id).timeout(5000).emitWithAck("ask", 1), [2])
    const sockets = await one.io.fetchSockets()
    const remote = sockets.find(({ id }) => id === far.id)!
    assert.strictEqual(
      sockets.find(({ id }) => id === socket.id),
      socket as never
    )
    assert.instanceOf(remote, RemoteSocket)
    assert.deepStrictEqual(remote.data, { name: "far" })
    assert.deepStrictEqual(remote.rooms, new Set([far.id]))
    assert.deepStrictEqual(
      await new Promise((resolve) => remote.timeout(5000).emit("ask", 5, (...args: Array<unknown>) => resolve(args))),
      [null, 6]
    )
    remote.join("r")
    const toRoom = next(peer, "y")
    await new Promise((resolve) => setTimeout(resolve, 20))
    assert.isTrue(far.rooms.has("r"))
    one.io.to("r").emit("y", 2)
    assert.deepStrictEqual(await toRoom, [2])
    two.io.on("hello", (name: string, reply: (text: string) => void) => reply(`hello ${name}`))
    assert.deepStrictEqual(await one.io.serverSideEmitWithAck("hello", "one"), ["hello one"])
    const gone = next(peer, "disconnect")
    remote.disconnect()
    assert.strictEqual((await gone)[0], "io server disconnect")
  })
})

describe("parsers", () => {
  const parsers: Record<string, readonly [server: unknown, client: unknown]> = {
    "socket.io-parser": [officialParser, officialParser],
    "socket.io-msgpack-parser": [officialMsgpack, officialMsgpack],
    "our msgpack codec": [msgpack, officialMsgpack]
  }
  for (const [name, [parser, clientParser]] of Object.entries(parsers)) {
    it(`${name}: text, binary and acknowledgements`, async () => {
      const running = await serve({ parser: parser as OfficialParser })
      const [socket, peer] = await pair(running, { ...ways.websocket, parser: clientParser })
      const heard = next(socket, "x")
      peer.emit("x", 1, { b: Buffer.from("z") })
      assert.deepStrictEqual(await heard, [1, { b: Buffer.from("z") }])
      peer.on("ask", (bytes: Buffer, reply: (bytes: Buffer) => void) => reply(bytes))
      assert.deepStrictEqual(await socket.emitWithAck("ask", Buffer.from("y")), Buffer.from("y"))
      const all = next(peer, "all")
      running.io.emit("all", [Buffer.from("w")])
      assert.deepStrictEqual(await all, [[Buffer.from("w")]])
    })
  }

  it("what a parser throws or makes up closes the one connection", async () => {
    for (const junk of ["boom", { type: 2, nsp: "/", data: "none" }, { type: 99, nsp: "/" }, null]) {
      class Decoder extends officialParser.Decoder {
        override add(chunk: unknown): void {
          if (String(chunk) !== "2junk") return super.add(chunk)
          if (junk === "boom") throw new Error("boom")
          this.emitReserved("decoded", junk as never)
        }
      }
      const running = await serve({ parser: { Encoder: officialParser.Encoder, Decoder } as unknown as OfficialParser })
      const [socket, peer] = await pair(running)
      const gone = next(socket, "disconnect")
      peer.io.engine.write("2junk")
      assert.strictEqual((await gone)[0], "forced close")
    }
  })
})
