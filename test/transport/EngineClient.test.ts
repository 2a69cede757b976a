import { assert, describe, it } from "@effect/vitest"
import * as Group from "../../src/protocol/FrameGroup.ts"
import type { FrameGroup } from "../../src/protocol/FrameGroup.ts"
import { closeGrace, EngineClient, type EngineMemory } from "../../src/transport/EngineClient.ts"
import * as EngineClientOptions from "../../src/transport/EngineClientOptions.ts"
import * as EngineUrl from "../../src/transport/EngineUrl.ts"
import { FakePlatform, FakeTimers } from "./FakePlatform.ts"

const handshake = (options: { readonly maxPayload?: number; readonly upgrades?: ReadonlyArray<string> } = {}): string =>
  "0" +
  JSON.stringify({
    sid: "sid1",
    upgrades: ["websocket"],
    pingInterval: 25_000,
    pingTimeout: 20_000,
    maxPayload: 1e6,
    ...options
  })

interface LabOptions extends Partial<EngineClientOptions.EngineClientOptions> {
  readonly url?: string
  readonly memory?: EngineMemory
}

const lab = (options: LabOptions = {}) => {
  const { url = "http://example.com", memory = { webSocketWorked: false }, ...given } = options
  const platform = new FakePlatform()
  const timers = new FakeTimers()
  const log: Array<string> = []
  const engineOptions = EngineClientOptions.make(given)
  const address = EngineUrl.parse(url, { ...engineOptions, base: undefined })
  if (EngineUrl.isInvalid(address)) throw new Error(address.message)
  const engine = new EngineClient({
    address,
    options: engineOptions,
    platform,
    timers,
    memory,
    sink: {
      onOpen: () => log.push("open"),
      onMessage: (data) => log.push(`message ${typeof data === "string" ? data : `[${[...data].join()}]`}`),
      onPing: () => log.push("ping"),
      onDrain: () => log.push("drain"),
      onUpgrade: (name) => log.push(`upgrade ${name}`),
      onUpgradeError: ({ message }) => log.push(`upgradeError ${message}`),
      onClose: (reason, failure) => log.push(`close ${reason}: ${failure?.message ?? "-"}`)
    }
  })
  engine.open()
  const take = (): ReadonlyArray<string> => log.splice(0)
  /** A session on a WebSocket alone. */
  const openSocket = () => {
    const socket = platform.sockets[0]!
    socket.handlers.onOpen()
    socket.handlers.onFrame(handshake({ upgrades: [] }))
    timers.turn()
    take()
    return socket
  }
  /** A polling session that waits with its second GET. */
  const openPolling = (options: Parameters<typeof handshake>[0] = { upgrades: [] }) => {
    platform.poll.answer(handshake(options))
    timers.turn()
    take()
  }
  return { engine, platform, timers, take, memory, openSocket, openPolling }
}

const text = (data: string): FrameGroup => Group.make(`4${data}`)

const polling = { transports: ["polling"] } as const
const webSocket = { transports: ["websocket"] } as const

describe("polling", () => {
  it("opens with the first answer, then always has one GET waiting, with the session's id", () => {
    const { platform, take, engine } = lab(polling)
    assert.strictEqual(platform.requests.length, 1)
    assert.match(platform.poll.url, /^http:\/\/example\.com\/socket\.io\/\?EIO=4&transport=polling&t=[\da-z]+$/)
    platform.poll.answer(`${handshake()}\x1e4hello\x1ebAQID`)
    assert.deepStrictEqual(take(), ["open", "message hello", "message [1,2,3]"])
    assert.strictEqual(engine.id, "sid1")
    assert.strictEqual(platform.requests.length, 2)
    assert.strictEqual(platform.poll.query["sid"], "sid1")
    platform.poll.answer("6")
    assert.strictEqual(platform.requests.length, 3)
    assert.lengthOf(platform.sockets, 0)
  })

  it("sends what is written in one turn in one POST, one POST at a time, in order", () => {
    const { engine, platform, timers, take, openPolling } = lab(polling)
    engine.write(text("early"))
    openPolling()
    assert.strictEqual(platform.posts[0]!.body, "4early")
    engine.write(text("a"))
    engine.write(Group.make("451-[]", [new Uint8Array([1, 2, 3])]))
    timers.turn()
    assert.lengthOf(platform.posts, 1)
    assert.isFalse(engine.writable)
    assert.strictEqual(engine.bufferedGroups, 2)
    platform.posts[0]!.answer("ok")
    assert.strictEqual(platform.posts[1]!.body, "4a\x1e451-[]\x1ebAQID")
    assert.strictEqual(platform.posts[1]!.headers["Content-type"], "text/plain;charset=UTF-8")
    platform.posts[1]!.answer("ok")
    assert.deepStrictEqual(take(), ["drain"])
    assert.isTrue(engine.writable)
  })

  it("cuts POSTs at maxPayload, in bytes of UTF-8, between the frames", () => {
    const { engine, platform, timers, openPolling } = lab(polling)
    openPolling({ maxPayload: 10, upgrades: [] })
    // 4 + 2 bytes each: three and two separators would be 11 bytes.
    for (let i = 0; i < 3; i++) engine.write(text("é"))
    engine.write(text("far too large by itself"))
    timers.turn()
    const bodies: Array<string> = []
    for (let i = 0; i < 3; i++) {
      const post = platform.posts[i]!
      bodies.push(post.body!)
      assert.isAtMost(platform.posts.length, i + 1)
      post.answer("ok")
    }
    assert.deepStrictEqual(bodies, ["4é\x1e4é", "4é", "4far too large by itself"])
    assert.isTrue(engine.writable)
  })

  it("fills a POST to exactly maxPayload", () => {
    const { engine, platform, timers, openPolling } = lab(polling)
    openPolling({ maxPayload: 9, upgrades: [] })
    engine.write(text("abc"))
    engine.write(text("abc"))
    engine.write(text("x"))
    timers.turn()
    assert.strictEqual(platform.posts[0]!.body, "4abc\x1e4abc")
  })

  for (const [name, fail, expected] of [
    ["a status other than 200", (p: FakePlatform) => p.poll.answer("{}", 400), "close transport error: xhr poll error"],
    ["no answer", (p: FakePlatform) => p.poll.fail(new Error("reset")), "close transport error: xhr poll error"],
    ["a payload that is none", (p: FakePlatform) => p.poll.answer("4a\x1eb!!"), "close parse error: invalid base64"],
    ["an unknown packet", (p: FakePlatform) => p.poll.answer("9"), "close parse error: unknown engine packet type"],
    ["a close packet", (p: FakePlatform) => p.poll.answer("4last\x1e1\x1e4never"), "close transport close: -"]
  ] as const) {
    it(`ends by ${name}`, () => {
      const { platform, take, timers, openPolling } = lab(polling)
      openPolling()
      fail(platform)
      const lines = take()
      assert.strictEqual(lines.at(-1), expected)
      assert.notInclude(lines, "message never")
      timers.turn()
      assert.strictEqual(timers.running, 0)
      assert.lengthOf(
        platform.requests.filter(({ method }) => method === "GET"),
        2
      )
    })
  }

  it("ends by a POST that fails", () => {
    const { engine, platform, take, timers, openPolling } = lab(polling)
    openPolling()
    engine.write(text("a"))
    timers.turn()
    const { poll } = platform
    platform.posts[0]!.answer("no", 413)
    assert.deepStrictEqual(take(), ["close transport error: xhr post error"])
    assert.isTrue(poll.aborted)
  })

  it("fails to open when the handshake is none", () => {
    for (const body of ["4hello", "0{}", "0", "", '0{"sid":1}']) {
      const { platform, take } = lab(polling)
      platform.poll.answer(body)
      const lines = take()
      assert.notInclude(lines, "open", body)
      assert.notInclude(lines.join(), "message", body)
    }
  })

  it("gives a request up after requestTimeout", () => {
    const { platform, take, timers } = lab({ ...polling, requestTimeout: 1000 })
    const { poll } = platform
    timers.pass(999)
    assert.deepStrictEqual(take(), [])
    timers.pass(1)
    assert.isTrue(poll.aborted)
    assert.deepStrictEqual(take(), ["close transport error: xhr poll error"])
    assert.strictEqual(timers.running, 0)
  })

  it("stops the requestTimeout of a request that was answered", () => {
    const { take, timers, platform, openPolling } = lab({ ...polling, requestTimeout: 1000 })
    openPolling()
    timers.pass(900)
    platform.poll.answer("6")
    timers.pass(900)
    assert.deepStrictEqual(take(), [])
  })

  it("says farewell when it is closed: what was written, then the close packet, and only then the poll ends", () => {
    const { engine, platform, take, openPolling } = lab(polling)
    openPolling()
    engine.write(text("last"))
    engine.close()
    engine.write(text("too late"))
    const { poll } = platform
    assert.deepStrictEqual(
      platform.posts.map(({ body }) => body),
      ["4last"]
    )
    platform.posts[0]!.answer("ok")
    assert.deepStrictEqual(take(), ["close forced close: -"])
    const farewell = platform.posts[1]!
    assert.strictEqual(farewell.body, "1")
    assert.isTrue(farewell.farewell)
    assert.isFalse(poll.aborted)
    farewell.answer("ok")
    assert.isTrue(poll.aborted)
  })

  it("that is closed before its handshake closes the session that it gets", () => {
    const { engine, platform, take, timers } = lab(polling)
    engine.close()
    assert.deepStrictEqual(take(), [])
    platform.poll.answer(handshake())
    assert.deepStrictEqual(take(), ["close forced close: -"])
    assert.strictEqual(platform.posts[0]!.body, "1")
    assert.strictEqual(platform.posts[0]!.query["sid"], "sid1")
    assert.lengthOf(platform.sockets, 0)
    assert.strictEqual(timers.running, 0)
  })

  it("does not wait for ever when it is closed", () => {
    const { engine, platform, take, timers, openPolling } = lab(polling)
    openPolling()
    engine.write(text("a"))
    timers.turn()
    engine.close()
    timers.pass(closeGrace)
    assert.deepStrictEqual(take(), ["close forced close: -"])
    // The POST is still out: the farewell waits for it, since the server takes overlapping ones for an error.
    assert.lengthOf(platform.posts, 1)
    platform.posts[0]!.answer("ok")
    assert.strictEqual(platform.posts[1]!.body, "1")
  })

  it("aborts at once when told to", () => {
    const { engine, take, timers } = lab(polling)
    engine.abort()
    assert.deepStrictEqual(take(), ["close forced close: -"])
    assert.strictEqual(timers.running, 0)
  })
})

describe("WebSocket", () => {
  it("opens with the handshake, and sends frame by frame at the end of the turn", () => {
    const { engine, platform, take, timers } = lab(webSocket)
    const socket = platform.sockets[0]!
    assert.strictEqual(socket.url, "ws://example.com/socket.io/?EIO=4&transport=websocket")
    socket.handlers.onOpen()
    assert.deepStrictEqual(take(), [])
    socket.handlers.onFrame(handshake())
    assert.deepStrictEqual(take(), ["open"])
    engine.write(text("a"))
    engine.write(Group.make("451-[]", [new Uint8Array([7])]))
    assert.lengthOf(socket.sent, 0)
    timers.turn()
    assert.deepStrictEqual(socket.sent, ["4a", "451-[]", new Uint8Array([7])])
    assert.deepStrictEqual(take(), ["drain"])
    socket.handlers.onFrame("4text")
    socket.handlers.onFrame(new Uint8Array([1]))
    socket.handlers.onFrame("bAQI=")
    assert.deepStrictEqual(take(), ["message text", "message [1]", "message [1,2]"])
    assert.strictEqual(engine.transportName, "websocket")
    assert.lengthOf(platform.requests, 0)
  })

  it("fails to open: websocket error", () => {
    const { platform, take } = lab(webSocket)
    platform.sockets[0]!.handlers.onClose(1006, "", new Error("refused"))
    assert.deepStrictEqual(take(), ["close transport error: websocket error"])
  })

  it("ends by transport close, or by transport error when there is a cause", () => {
    for (const [cause, expected] of [
      [undefined, "close transport close: websocket connection closed"],
      [new Error("reset"), "close transport error: websocket error"]
    ] as const) {
      const { take, openSocket } = lab(webSocket)
      const socket = openSocket()
      socket.handlers.onClose(1005, "", cause)
      socket.handlers.onClose(1005, "", cause)
      assert.deepStrictEqual(take(), [expected])
    }
  })

  it("with forceBase64 says so and sends text only", () => {
    const { engine, platform, timers, openSocket } = lab({ ...webSocket, forceBase64: true, timestampRequests: true })
    const socket = openSocket()
    assert.strictEqual(socket.query["b64"], "1")
    assert.match(socket.query["t"]!, /^[\da-z]+$/)
    engine.write(Group.make("451-[]", [new Uint8Array([1, 2, 3])]))
    timers.turn()
    assert.deepStrictEqual(platform.sockets[0]!.sent, ["451-[]", "bAQID"])
  })

  it("sends what was written before it closes", () => {
    const { engine, take, openSocket } = lab(webSocket)
    const socket = openSocket()
    engine.write(text("last"))
    engine.close()
    assert.deepStrictEqual(socket.sent, ["4last"])
    assert.isTrue(socket.closed)
    assert.deepStrictEqual(take(), ["close forced close: -"])
    socket.handlers.onFrame("4after")
    assert.deepStrictEqual(take(), [])
  })

  it("that is closed before it is open is given up at once", () => {
    const { engine, platform, take } = lab(webSocket)
    engine.close()
    assert.isTrue(platform.sockets[0]!.closed)
    assert.deepStrictEqual(take(), ["close forced close: -"])
  })
})

describe("heartbeat", () => {
  it("answers pings, and ends after pingInterval + pingTimeout of silence", () => {
    const { take, timers, openSocket } = lab(webSocket)
    const socket = openSocket()
    timers.pass(44_999)
    socket.handlers.onFrame("2")
    timers.turn()
    assert.deepStrictEqual(socket.sent, ["3"])
    timers.pass(44_999)
    assert.deepStrictEqual(take(), ["ping", "drain"])
    timers.pass(1)
    assert.deepStrictEqual(take(), ["close ping timeout: -"])
    assert.isTrue(socket.closed)
  })

  it("notices after a sleep of the machine that the ping has expired, before the timer does", () => {
    const { engine, take, timers, openSocket } = lab(webSocket)
    openSocket()
    timers.sleep(45_000)
    assert.isFalse(engine.hasPingExpired())
    timers.sleep(1)
    assert.isTrue(engine.hasPingExpired())
    assert.isTrue(engine.hasPingExpired())
    assert.deepStrictEqual(take(), [])
    timers.turn()
    assert.deepStrictEqual(take(), ["close ping timeout: -"])
    assert.isFalse(engine.hasPingExpired())
  })
})

describe("upgrade", () => {
  /** Up to the answer to the probe. */
  const probed = (options: LabOptions = {}) => {
    const world = lab(options)
    world.platform.poll.answer(handshake())
    world.timers.turn()
    world.take()
    const probe = world.platform.sockets[0]!
    return { ...world, probe }
  }

  it("probes, lets polling come to rest, switches and sends what was held back, in order", () => {
    const { engine, platform, probe, take, timers } = probed()
    assert.strictEqual(probe.query["sid"], "sid1")
    probe.handlers.onOpen()
    assert.deepStrictEqual(probe.sent, ["2probe"])
    engine.write(text("1"))
    timers.turn()
    probe.handlers.onFrame("3probe")
    engine.write(text("2"))
    timers.turn()
    assert.isFalse(engine.writable)
    platform.posts[0]!.answer("ok")
    assert.lengthOf(platform.posts, 1)
    platform.poll.answer("4down\x1e6")
    assert.deepStrictEqual(take(), ["message down", "upgrade websocket", "drain"])
    assert.deepStrictEqual(probe.sent, ["2probe", "5", "42"])
    assert.isTrue(platform.requests.every(({ aborted }) => !aborted))
    probe.handlers.onFrame("4over")
    assert.deepStrictEqual(take(), ["message over"])
    assert.strictEqual(engine.transportName, "websocket")
    engine.close()
    assert.isTrue(probe.closed)
  })

  for (const [name, fail, message] of [
    [
      "it cannot be opened",
      (p: FakePlatform) => p.sockets[0]!.handlers.onClose(1006, "", "no"),
      "probe error: websocket error"
    ],
    ["the answer is wrong", (p: FakePlatform) => p.sockets[0]!.handlers.onFrame("3nope"), "probe error"],
    [
      "the answer is garbage",
      (p: FakePlatform) => p.sockets[0]!.handlers.onFrame("x"),
      "probe error: unknown engine packet type"
    ],
    [
      "it closes",
      (p: FakePlatform) => p.sockets[0]!.handlers.onClose(1005, "", undefined),
      "probe error: transport closed"
    ]
  ] as const) {
    it(`stays on polling when ${name}`, () => {
      const { engine, platform, probe, take, timers } = probed()
      if (name !== "it cannot be opened") probe.handlers.onOpen()
      fail(platform)
      assert.deepStrictEqual(take(), [`upgradeError ${message}`])
      engine.write(text("a"))
      timers.turn()
      assert.strictEqual(platform.posts[0]!.body, "4a")
      assert.isFalse(platform.poll.aborted)
      assert.strictEqual(engine.transportName, "polling")
    })
  }

  it("takes polling up again when the probe dies while polling comes to rest", () => {
    const { engine, platform, probe, take, timers } = probed()
    probe.handlers.onOpen()
    probe.handlers.onFrame("3probe")
    const before = platform.requests.length
    engine.write(text("held"))
    timers.turn()
    probe.handlers.onClose(1006, "", undefined)
    assert.strictEqual(platform.posts[0]!.body, "4held")
    assert.strictEqual(platform.requests.length, before + 1)
    platform.poll.answer("4next")
    assert.deepStrictEqual(take(), ["upgradeError probe error: transport closed", "message next"])
    assert.strictEqual(platform.poll.query["sid"], "sid1")
  })

  it("answers a ping that comes while polling comes to rest on the new transport", () => {
    const { platform, probe, timers } = probed()
    probe.handlers.onOpen()
    probe.handlers.onFrame("3probe")
    platform.poll.answer("2\x1e6")
    timers.turn()
    assert.deepStrictEqual(probe.sent, ["2probe", "5", "3"])
  })

  it("is let finish when the session is closed meanwhile", () => {
    const { engine, platform, probe, take } = probed()
    probe.handlers.onOpen()
    probe.handlers.onFrame("3probe")
    engine.write(text("last"))
    engine.close()
    assert.deepStrictEqual(take(), [])
    platform.poll.answer("6")
    assert.deepStrictEqual(probe.sent, ["2probe", "5", "4last"])
    assert.deepStrictEqual(take(), ["close forced close: -"])
    assert.isTrue(probe.closed)
  })

  it("ends with the session", () => {
    const { platform, probe, take } = probed()
    probe.handlers.onOpen()
    platform.poll.answer("", 400)
    assert.isTrue(probe.closed)
    assert.deepStrictEqual(take(), ["close transport error: xhr poll error"])
  })

  it("does not happen when it is off, not offered, or not among the transports", () => {
    for (const [options, upgrades] of [
      [{ upgrade: false }, ["websocket"]],
      [{}, []],
      [{}, ["webtransport"]],
      [polling, ["websocket"]]
    ] as const) {
      const { platform } = lab(options)
      platform.poll.answer(handshake({ upgrades }))
      assert.lengthOf(platform.sockets, 0)
    }
  })

  it("is not needed when a WebSocket worked the last time and that is remembered", () => {
    const memory = { webSocketWorked: false }
    const { platform, probe } = probed({ memory })
    probe.handlers.onOpen()
    probe.handlers.onFrame("3probe")
    platform.poll.answer("6")
    assert.isTrue(memory.webSocketWorked)
    const again = lab({ memory, rememberUpgrade: true })
    assert.lengthOf(again.platform.sockets, 1)
    assert.lengthOf(again.platform.requests, 0)
    again.platform.sockets[0]!.handlers.onClose(1006, "", "no")
    assert.isFalse(memory.webSocketWorked)
    assert.lengthOf(lab({ memory, rememberUpgrade: true }).platform.requests, 1)
    memory.webSocketWorked = true
    assert.lengthOf(lab({ memory }).platform.requests, 1)
    assert.lengthOf(lab({ memory, rememberUpgrade: true, ...polling }).platform.requests, 1)
  })
})

describe("options", () => {
  it("try the next transport when one fails to open, if told to", () => {
    const { platform, take } = lab({ transports: ["websocket", "polling"], tryAllTransports: true })
    platform.sockets[0]!.handlers.onClose(1006, "", "no")
    assert.deepStrictEqual(take(), [])
    platform.poll.answer(handshake())
    assert.deepStrictEqual(take(), ["open"])
    const none = lab({ transports: ["websocket", "polling"], tryAllTransports: true })
    none.platform.sockets[0]!.handlers.onClose(1006, "", "no")
    none.platform.poll.fail("no")
    assert.deepStrictEqual(none.take(), ["close transport error: xhr poll error"])
    const off = lab({ transports: ["websocket", "polling"] })
    off.platform.sockets[0]!.handlers.onClose(1006, "", "no")
    assert.deepStrictEqual(off.take(), ["close transport error: websocket error"])
  })

  it("without transports there is no connection, and that is told later", () => {
    const { take, timers } = lab({ transports: [] })
    assert.deepStrictEqual(take(), [])
    timers.turn()
    assert.deepStrictEqual(take(), ["close transport error: No transports available"])
  })

  it("go into the address and the headers", () => {
    const { platform, openPolling } = lab({
      ...polling,
      url: "https://example.com:8443/ignored?from=url",
      path: "/engine/",
      addTrailingSlash: false,
      query: { token: "a b&c", EIO: "3" },
      extraHeaders: { "X-Test": "1" },
      withCredentials: true,
      timestampParam: "ts",
      forceBase64: true
    })
    const { poll } = platform
    assert.match(
      poll.url,
      /^https:\/\/example\.com:8443\/engine\?token=a%20b%26c&EIO=4&transport=polling&ts=[\da-z]+&b64=1$/
    )
    assert.deepStrictEqual(poll.headers, { "X-Test": "1" })
    assert.isTrue(poll.withCredentials)
    openPolling()
    assert.isUndefined(platform.poll.query["b64"])
    assert.notStrictEqual(lab(polling).platform.poll.query["t"], undefined)
    assert.isUndefined(lab({ ...polling, timestampRequests: false }).platform.poll.query["t"])
  })

  it("end the session when the network is known to be lost, but not to one's own machine", () => {
    const { platform, take, openPolling } = lab(polling)
    openPolling()
    platform.offline!()
    assert.deepStrictEqual(take(), ["close transport close: network connection lost"])
    assert.isUndefined(platform.offline)
    assert.isUndefined(lab({ ...polling, url: "http://localhost:3000" }).platform.offline)
  })

  it("close the transport before a page is left, if told to", () => {
    const { platform, openPolling } = lab({ ...polling, closeOnBeforeunload: true })
    openPolling()
    platform.unload!()
    assert.strictEqual(platform.posts[0]!.body, "1")
    assert.isUndefined(lab(polling).platform.unload)
  })
})
