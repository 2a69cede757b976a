import { assert, describe, it } from "@effect/vitest"
import { type ClientSocket, incompatibleServer, maxEarlyEvents } from "../../src/protocol/ClientSocket.ts"
import * as ClientRecovery from "../../src/protocol/ClientRecovery.ts"
import { ClientLab } from "./ClientLab.ts"

const plain = { volatile: false, compress: true, hasBinary: undefined }
const volatile = { ...plain, volatile: true }

/** A lab with one connected namespace. */
const connected = (options: ConstructorParameters<typeof ClientLab>[0] = { delay: 1000 }) => {
  const lab = new ClientLab(options)
  const socket = lab.socket("/")
  socket.connect()
  lab.up("/")
  lab.take()
  return { lab, socket }
}

describe("connecting", () => {
  it("opens the engine, sends CONNECT with the auth and hears the id", () => {
    const lab = new ClientLab()
    const socket = lab.socket("/chat", {}, (socket, attempt) => socket.authenticated(attempt, { token: "t" }))
    socket.connect()
    socket.connect()
    lab.up("/chat")
    assert.deepStrictEqual(lab.take(), [
      "/chat connecting",
      "open engine",
      "open",
      'send 40/chat,{"token":"t"}',
      "/chat connect /chat-sid"
    ])
    assert.strictEqual(socket.id, "/chat-sid")
    assert.isTrue(socket.connected)
    assert.strictEqual(lab.timers.size, 0)
  })

  it("carries several namespaces over one engine", () => {
    const lab = new ClientLab()
    lab.socket("/a").connect()
    lab.socket("b").connect()
    lab.up("/a", "/b")
    lab.receive('2/a,["x"]', '2/b,["y"]', '2/c,["z"]')
    assert.deepStrictEqual(lab.take(), [
      "/a connecting",
      "open engine",
      "b connecting",
      "open",
      "send 40/a,{}",
      "send 40/b,{}",
      "/a connect /a-sid",
      "b connect /b-sid",
      '/a event ["x"]',
      'b event ["y"]'
    ])
    assert.isTrue(lab.machine.has("b"))
    assert.strictEqual(lab.socket("b"), lab.socket("/b"))
  })

  it("connects another namespace over an engine that is open already", () => {
    const { lab } = connected()
    lab.socket("/late").connect()
    assert.deepStrictEqual(lab.take(), ["/late connecting", "send 40/late,{}"])
  })

  it("asks for the auth of each attempt, and ignores an answer to an earlier one", () => {
    const lab = new ClientLab({ delay: 10 })
    const attempts: Array<number> = []
    const socket = lab.socket("/", {}, (_, attempt) => attempts.push(attempt))
    socket.connect()
    lab.machine.engineOpened()
    lab.machine.engineClosed("transport close", undefined)
    lab.fire(10)
    lab.machine.engineOpened()
    lab.take()
    assert.lengthOf(attempts, 2)
    socket.authenticated(attempts[0]!, { old: true })
    assert.deepStrictEqual(lab.take(), [])
    socket.authenticated(attempts[1]!, { fresh: true })
    socket.authenticated(attempts[1]!, { again: true })
    assert.deepStrictEqual(lab.take(), ['send 40{"fresh":true}'])
  })

  it("gives up when there is no auth, and when it cannot be written", () => {
    const lab = new ClientLab({ delay: 10 })
    const failing = lab.socket("/a", {}, (socket, attempt) =>
      socket.authFailed(attempt, { kind: "auth", message: "no token" })
    )
    failing.connect()
    lab.machine.engineOpened()
    assert.deepStrictEqual(lab.take().slice(2), [
      "open",
      "close engine",
      "close forced close",
      "/a connect_error auth: no token"
    ])
    assert.isFalse(failing.active)
    const bigint = lab.socket("/b", {}, (socket, attempt) => socket.authenticated(attempt, { n: 1n }))
    bigint.connect()
    lab.machine.engineOpened()
    assert.match(lab.take().at(-1)!, /^\/b connect_error auth: .*BigInt/)
  })

  it("stops after a refusal, and can be told to try again", () => {
    const lab = new ClientLab({ delay: 10 })
    const socket = lab.socket("/")
    socket.connect()
    lab.machine.engineOpened()
    lab.receive('4{"message":"not allowed","data":{"code":1}}')
    assert.deepStrictEqual(lab.take().slice(-3), [
      "close engine",
      "close forced close",
      '/ connect_error refused: not allowed {"code":1}'
    ])
    assert.isFalse(socket.active)
    assert.strictEqual(lab.timers.size, 0)
    socket.connect()
    lab.up("/")
    assert.isTrue(socket.connected)
  })

  it("keeps the connection for other namespaces after a refusal", () => {
    const { lab } = connected()
    const other = lab.socket("/other")
    other.connect()
    lab.receive('4/other,{"message":"Invalid namespace"}')
    assert.notInclude(lab.take(), "close engine")
  })

  for (const [name, data, message] of [
    ["a text, as old servers send", '"nope"', "nope"],
    ["no data at all", "", ""],
    ["a message that is no text", '{"message":1}', ""]
  ] as const) {
    it(`takes a refusal with ${name}`, () => {
      const lab = new ClientLab()
      lab.socket("/").connect()
      lab.machine.engineOpened()
      lab.receive(`4${data}`)
      assert.strictEqual(lab.take().at(-1), `/ connect_error refused: ${message}`)
    })
  }

  it("tells of a server of version 2, which answers CONNECT without sid", () => {
    const lab = new ClientLab()
    const socket = lab.socket("/")
    socket.connect()
    lab.machine.engineOpened()
    lab.receive("0", '0{"sid":""}')
    assert.deepStrictEqual(lab.take().slice(-1), [`/ connect_error protocol: ${incompatibleServer}`])
    assert.isFalse(socket.connected)
  })

  it("ignores answers that nobody asked for", () => {
    const { lab, socket } = connected()
    lab.receive('0{"sid":"other"}', '4{"message":"no"}')
    assert.deepStrictEqual(lab.take(), [])
    assert.strictEqual(socket.id, "/-sid")
  })

  it("never asks twice while the first answer is out (T8 from the client's side)", () => {
    const lab = new ClientLab()
    const socket = lab.socket("/")
    socket.connect()
    lab.socket("/keep").connect()
    lab.machine.engineOpened()
    lab.take()
    socket.disconnect()
    socket.connect()
    socket.disconnect()
    socket.connect()
    assert.notInclude(lab.take().join("\n"), "send")
    lab.receive('0{"sid":"stale"}')
    assert.deepStrictEqual(lab.take(), ["send 41", "send 40{}"])
    lab.receive('0{"sid":"fresh"}')
    assert.deepStrictEqual(lab.take(), ["/ connect fresh"])
  })

  it("leaves when it is let in after it has changed its mind, and says nothing after a refusal then", () => {
    for (const [answer, expected] of [
      ['0{"sid":"stale"}', ["send 41"]],
      ['4{"message":"no"}', []]
    ] as const) {
      const lab = new ClientLab()
      const socket = lab.socket("/")
      lab.socket("/keep").connect()
      socket.connect()
      lab.machine.engineOpened()
      socket.disconnect()
      lab.take()
      lab.receive(answer)
      assert.deepStrictEqual(lab.take(), expected)
    }
  })

  it("asks again after a refusal of the attempt before", () => {
    const lab = new ClientLab()
    const socket = lab.socket("/")
    lab.socket("/keep").connect()
    socket.connect()
    lab.machine.engineOpened()
    socket.disconnect()
    socket.connect()
    lab.take()
    lab.receive('4{"message":"no"}')
    assert.deepStrictEqual(lab.take(), ["send 40{}"])
  })
})

describe("recovery", () => {
  it("auth cannot take the place of the recovery's pid and offset (T17)", () => {
    const auth = { token: "t", pid: "mine", offset: "mine" }
    const kept = { pid: "p", offset: "o", ownSlot: true }
    assert.deepStrictEqual(ClientRecovery.connectData(auth, kept), { token: "t", pid: "p", offset: "o" })
    assert.deepStrictEqual(ClientRecovery.connectData(auth, undefined), auth)
    assert.deepStrictEqual(ClientRecovery.connectData(undefined, kept), { pid: "p", offset: "o" })
    assert.deepStrictEqual(ClientRecovery.connectData({}, { ...kept, offset: undefined }), { pid: "p" })
  })

  /** Loses the connection and has it back: gives what is sent then. */
  const comeBack = (lab: ClientLab): ReadonlyArray<string> => {
    lab.machine.engineClosed("transport close", undefined)
    lab.fire(10)
    lab.take()
    lab.machine.engineOpened()
    return lab.take().filter((line) => line.startsWith("send"))
  }

  const begun = (answer: string, nsp = "/"): { readonly lab: ClientLab; readonly socket: ClientSocket } => {
    const lab = new ClientLab({ delay: 10 })
    const socket = lab.socket(nsp)
    socket.connect()
    lab.machine.engineOpened()
    lab.receive(answer)
    lab.take()
    return { lab, socket }
  }

  it("a server of ours says where events begin: a client that has seen none can come back (T2)", () => {
    const { lab, socket } = begun('0{"sid":"a","pid":"p","offset":"7"}')
    assert.deepStrictEqual(comeBack(lab), ['send 40{"pid":"p","offset":"7"}'])
    lab.receive('0{"sid":"a","pid":"p","offset":"9"}')
    assert.isTrue(socket.recovered)
    // What it has seen counts, not what the server says again.
    assert.deepStrictEqual(comeBack(lab), ['send 40{"pid":"p","offset":"7"}'])
    lab.receive('0{"sid":"b","pid":"q","offset":"10"}')
    assert.isFalse(socket.recovered)
    assert.deepStrictEqual(comeBack(lab), ['send 40{"pid":"q","offset":"10"}'])
  })

  it("offsets of a server of ours have a place of their own: no text of the program is taken for one (T1)", () => {
    const { lab } = begun('0{"sid":"a","pid":"p","offset":null}')
    lab.receive(
      '2["stored","text","8"]',
      '2["volatile","text","8"]',
      '2["bare","8"]',
      '2["number",1]',
      '25["asked","text"]'
    )
    assert.deepStrictEqual(lab.take(), [
      '/ event ["stored","text"]',
      '/ event ["volatile","text"]',
      '/ event ["bare"]',
      '/ event ["number",1]',
      '/ event ["asked","text"] #5'
    ])
    assert.deepStrictEqual(comeBack(lab), ['send 40{"pid":"p","offset":"8"}'])
  })

  it("with an official server any text at the end may be the offset, and the program is told of it", () => {
    const { lab, socket } = begun('0{"sid":"a","pid":"p"}')
    assert.deepStrictEqual(comeBack(lab), ['send 40{"pid":"p"}'])
    lab.receive('0{"sid":"a","pid":"p"}', '2["stored",1,"o1"]', '2["bare"]')
    assert.isTrue(socket.mayTrailOffset)
    assert.includeMembers([...lab.take()], ['/ event ["stored",1,"o1"]', '/ event ["bare"]'])
    assert.deepStrictEqual(comeBack(lab), ['send 40{"pid":"p","offset":"o1"}'])
    // Missed events come before the answer there.
    lab.receive('2["missed",2,"o2"]', '0{"sid":"a","pid":"p"}')
    assert.isTrue(socket.recovered)
    assert.deepStrictEqual(lab.take(), ['/ event ["missed",2,"o2"]', "/ connect a recovered"])
    assert.deepStrictEqual(comeBack(lab), ['send 40{"pid":"p","offset":"o2"}'])
  })

  it("without recovery texts are just texts", () => {
    const { lab, socket } = begun('0{"sid":"a"}')
    lab.receive('2["tick","some text"]')
    assert.isFalse(socket.mayTrailOffset)
    assert.deepStrictEqual(comeBack(lab), ["send 40{}"])
    assert.isFalse(ClientRecovery.isRecovered(undefined, undefined))
  })

  it("a session ends with a disconnect that one of the programs wants", () => {
    const { lab, socket } = begun('0{"sid":"a","pid":"p","offset":"1"}')
    socket.disconnect()
    socket.connect()
    assert.include(lab.take(), "open engine")
    lab.machine.engineOpened()
    assert.include(lab.take(), "send 40{}")
    lab.receive('0{"sid":"b","pid":"q","offset":"1"}', "1")
    socket.connect()
    assert.include(lab.take(), "open engine")
    lab.machine.engineOpened()
    assert.include(lab.take(), "send 40{}")
  })
})

describe("events", () => {
  it("are sent at once while connected, and kept in order otherwise", () => {
    const lab = new ClientLab()
    const socket = lab.socket("/")
    assert.strictEqual(socket.emit(["a", 1]), "buffered")
    socket.connect()
    socket.emit(["b", new Uint8Array([1])])
    lab.machine.engineOpened()
    socket.emit(["c"])
    assert.lengthOf(socket.buffered, 3)
    lab.take()
    lab.receive('0{"sid":"s"}')
    assert.strictEqual(socket.emit(["d"], { ...plain, compress: false }), "sent")
    assert.deepStrictEqual(
      lab.take().filter((line) => line.startsWith("send") || line.includes("connect")),
      [
        'send 42["a",1]',
        'send 451-["b",{"_placeholder":true,"num":0}] +1',
        'send 42["c"]',
        "/ connect s",
        'send 42["d"] uncompressed'
      ]
    )
  })

  it("keep their order when somebody emits while the kept ones leave", () => {
    const lab = new ClientLab()
    const socket = lab.socket("/")
    socket.emit(["a"])
    socket.emit(["b"])
    socket.connect()
    lab.react = (line) => {
      if (line === '/ outgoing ["a"]') socket.emit(["c"])
    }
    lab.up("/")
    assert.deepStrictEqual(
      lab.take().filter((line) => line.startsWith("send 42")),
      ['send 42["a"]', 'send 42["b"]', 'send 42["c"]']
    )
  })

  it("keep their order and are not lost when somebody disconnects while the kept ones leave", () => {
    const lab = new ClientLab()
    const socket = lab.socket("/")
    const waiter = lab.waiter("b")
    socket.emit(["a"])
    socket.emit(["b"], plain, waiter)
    socket.emit(["c"])
    lab.socket("/keep").connect()
    socket.connect()
    lab.react = (line) => {
      if (line === '/ outgoing ["b"]') socket.disconnect()
    }
    lab.up("/")
    assert.strictEqual(waiter.settled, 0)
    lab.react = () => {}
    socket.connect()
    lab.receive('0{"sid":"again"}')
    assert.deepStrictEqual(
      lab.take().filter((line) => line.startsWith("send 42") || line.startsWith("b ")),
      ['send 42["a"]', 'send 420["b"]', 'send 42["c"]']
    )
  })

  it("may be taken back by whoever is told that they leave", () => {
    const { lab, socket } = connected()
    const waiter = lab.waiter("w")
    lab.react = (line) => {
      if (line === '/ outgoing ["a"]') socket.cancelAck(waiter)
    }
    socket.emit(["a"], plain, waiter)
    socket.emit(["b"])
    assert.deepStrictEqual(lab.take(), ['/ outgoing ["a"]', '/ outgoing ["b"]', 'send 42["b"]'])
  })

  it("are not shown to nobody", () => {
    const { lab, socket } = connected()
    lab.watches = false
    socket.emit(["a"])
    assert.deepStrictEqual(lab.take(), ['send 42["a"]'])
    lab.expired = true
    socket.emit(["b"])
    lab.expired = false
    lab.machine.engineClosed("ping timeout", undefined)
    lab.fire(1000)
    lab.up("/")
    assert.include(lab.take(), 'send 42["b"]')
  })

  it("that are volatile are dropped unless they leave at once", () => {
    const { lab, socket } = connected()
    assert.strictEqual(socket.emit(["a"], volatile), "sent")
    lab.writable = false
    assert.strictEqual(socket.emit(["b"], volatile), "dropped")
    assert.strictEqual(socket.emit(["c"]), "sent")
    lab.writable = true
    lab.expired = true
    assert.strictEqual(socket.emit(["d"], volatile), "dropped")
    assert.strictEqual(socket.emit(["e"]), "buffered")
    lab.machine.engineClosed("ping timeout", undefined)
    assert.strictEqual(socket.emit(["f"], volatile), "dropped")
    assert.deepStrictEqual(
      lab.take().filter((line) => line.startsWith("send")),
      ['send 42["a"]', 'send 42["c"]']
    )
  })

  it("that cannot be encoded are refused and leave nothing behind", () => {
    const { lab, socket } = connected()
    const waiter = lab.waiter("w")
    const result = socket.emit(["a", 1n], plain, waiter, 100)
    assert.isObject(result)
    assert.strictEqual(socket.pendingAcks, 0)
    assert.strictEqual(lab.timers.size, 0)
    assert.strictEqual(socket.emit(["b"]), "sent")
    assert.strictEqual(waiter.settled, 0)
  })

  it("are answered once asked, and not in a later session, where the id means something else", () => {
    const { lab, socket } = connected({ delay: 10 })
    lab.receive('27["q"]', '28["r"]')
    const { session } = socket
    socket.reply(session, 7, ["yes"])
    assert.deepStrictEqual(lab.take(), ['/ event ["q"] #7', '/ event ["r"] #8', 'send 437["yes"]'])
    assert.isObject(socket.reply(session, 8, [1n]))
    lab.machine.engineClosed("transport close", undefined)
    socket.reply(session, 8, ["late"])
    lab.fire(10)
    lab.up("/")
    lab.take()
    socket.reply(session, 8, ["later"])
    assert.deepStrictEqual(lab.take(), [])
  })

  it("that come before the answer to CONNECT are kept, and heard before it", () => {
    const lab = new ClientLab()
    const socket = lab.socket("/")
    socket.emit(["kept"])
    socket.connect()
    lab.machine.engineOpened()
    lab.receive('2["missed"]', '21["asked"]')
    lab.take()
    lab.receive('0{"sid":"s"}')
    assert.deepStrictEqual(lab.take(), [
      '/ outgoing ["kept"]',
      'send 42["kept"]',
      '/ event ["missed"]',
      '/ event ["asked"] #1',
      "/ connect s"
    ])
  })

  it("that come before it are bounded", () => {
    const lab = new ClientLab({ delay: 10 })
    lab.socket("/").connect()
    lab.machine.engineOpened()
    for (let i = 0; i < maxEarlyEvents; i++) lab.receive('2["x"]')
    assert.isTrue(lab.machine.isOpen)
    lab.receive('2["x"]')
    assert.isFalse(lab.machine.isOpen)
    assert.include(lab.take(), "close parse error")
  })

  it("of a namespace that was left are not heard, nor those of a message after that", () => {
    const { lab, socket } = connected()
    lab.socket("/keep").connect()
    lab.react = (line) => {
      if (line === '/ event ["one"]') socket.disconnect()
    }
    lab.receive('2["one"]', '2["two"]')
    socket.connect()
    lab.receive('2["three"]', '0{"sid":"new"}', '2["four"]')
    assert.deepStrictEqual(
      lab.take().filter((line) => line.startsWith("/ event")),
      ['/ event ["one"]', '/ event ["four"]']
    )
  })
})

describe("acknowledgements", () => {
  it("settle with the answer, once, whatever comes after", () => {
    const { lab, socket } = connected()
    const waiter = lab.waiter("w")
    socket.emit(["q"], plain, waiter, 100)
    lab.receive('30["yes",1]', '30["again"]', '39["unknown"]', "3[]")
    lab.fire(100)
    lab.machine.engineClosed("transport close", undefined)
    assert.strictEqual(waiter.settled, 1)
    assert.include(lab.take(), 'w ack ["yes",1]')
  })

  it("time out by their own deadline, or by the socket's, or never", () => {
    const lab = new ClientLab()
    const socket = lab.socket("/", { ackTimeout: 50 })
    socket.connect()
    lab.up("/")
    socket.emit(["a"], plain, lab.waiter("a"))
    socket.emit(["b"], plain, lab.waiter("b"), 100)
    socket.emit(["c"], plain, lab.waiter("c"), Number.POSITIVE_INFINITY)
    assert.strictEqual(lab.timers.size, 2)
    lab.take()
    lab.fire(50)
    lab.fire(100)
    assert.deepStrictEqual(lab.take(), ["a timeout", "b timeout"])
    assert.strictEqual(socket.pendingAcks, 1)
  })

  it("of an event that has not left wait on after a disconnect; a deadline takes the event back", () => {
    const lab = new ClientLab({ delay: 10 })
    const socket = lab.socket("/")
    socket.connect()
    lab.up("/")
    socket.emit(["sent"], plain, lab.waiter("sent"), 100)
    lab.expired = true
    socket.emit(["kept"], plain, lab.waiter("kept"), 200)
    socket.emit(["late"], plain, lab.waiter("late"), 300)
    lab.expired = false
    lab.receive('31["impossible"]')
    lab.machine.engineClosed("ping timeout", undefined)
    lab.fire(200)
    assert.deepStrictEqual(
      lab.take().filter((line) => /^(sent|kept|late)/.test(line)),
      ["sent disconnected ping timeout", "kept timeout"]
    )
    lab.fire(10)
    lab.up("/")
    lab.receive('32["done"]')
    const lines = lab.take()
    assert.include(lines, 'send 422["late"]')
    assert.notInclude(lines, 'send 421["kept"]')
    assert.include(lines, 'late ack ["done"]')
  })

  it("can be given up, which takes back an event that has not left", () => {
    const lab = new ClientLab()
    const socket = lab.socket("/")
    const waiter = lab.waiter("w")
    socket.emit(["q"], plain, waiter, 100)
    socket.cancelAck(waiter)
    socket.cancelAck(waiter)
    socket.connect()
    lab.up("/")
    assert.notInclude(lab.take().join("\n"), "send 420")
    assert.strictEqual(waiter.settled, 0)
    assert.strictEqual(lab.timers.size, 0)
  })

  it("given up by whoever hears of another's end do not settle", () => {
    const { lab, socket } = connected()
    const first = lab.waiter("first")
    const second = lab.waiter("second")
    socket.emit(["a"], plain, first)
    socket.emit(["b"], plain, second)
    lab.react = (line) => {
      if (line.startsWith("first disconnected")) socket.cancelAck(second)
    }
    lab.machine.engineClosed("transport close", undefined)
    assert.deepStrictEqual([first.settled, second.settled], [1, 0])
  })

  it("all settle at the end, kept or sent", () => {
    const { lab, socket } = connected()
    const sent = lab.waiter("sent")
    const kept = lab.waiter("kept")
    socket.emit(["a"], plain, sent, 100)
    lab.expired = true
    socket.emit(["b"], plain, kept)
    lab.machine.dispose()
    lab.machine.dispose()
    assert.deepStrictEqual([sent.settled, kept.settled], [1, 1])
    assert.strictEqual(lab.timers.size, 0)
    socket.connect()
    assert.isFalse(lab.take().slice(-1)[0] === "open engine")
  })
})

describe("retries", () => {
  const queued = (retries: number) => {
    const lab = new ClientLab({ delay: 10 })
    const socket = lab.socket("/", { retries, ackTimeout: 50 })
    socket.connect()
    lab.up("/")
    lab.take()
    return { lab, socket, sends: () => lab.take().filter((line) => /^send 42|^[a-z] /.test(line)) }
  }

  it("keep one event under way, in order", () => {
    const { lab, socket, sends } = queued(2)
    socket.emit(["a"], plain, lab.waiter("a"))
    socket.emit(["b"])
    socket.emit(["c"], plain, lab.waiter("c"))
    assert.deepStrictEqual(sends(), ['send 420["a"]'])
    lab.receive('30["1"]')
    assert.deepStrictEqual(sends(), ['a ack ["1"]', 'send 421["b"]'])
    lab.receive("31[]")
    assert.deepStrictEqual(sends(), ['send 422["c"]'])
    lab.receive("32[]")
    assert.deepStrictEqual(sends(), ["c ack []"])
  })

  it("send an event at most 1 + retries times", () => {
    const { lab, socket, sends } = queued(2)
    socket.emit(["a"], plain, lab.waiter("a"))
    socket.emit(["b"], plain, lab.waiter("b"))
    for (let i = 0; i < 3; i++) lab.fire(50)
    assert.deepStrictEqual(sends(), ['send 420["a"]', 'send 421["a"]', 'send 422["a"]', "a timeout", 'send 423["b"]'])
  })

  it("send it again after a reconnection, once", () => {
    const { lab, socket, sends } = queued(1)
    socket.emit(["a"], plain, lab.waiter("a"))
    lab.machine.engineClosed("transport close", undefined)
    lab.fire(10)
    lab.up("/")
    assert.deepStrictEqual(sends(), ['send 420["a"]', 'send 421["a"]'])
    lab.machine.engineClosed("transport close", undefined)
    assert.deepStrictEqual(sends(), ["a disconnected transport close"])
  })

  it("do not send twice what was kept since the ping had expired", () => {
    const { lab, socket, sends } = queued(3)
    lab.expired = true
    socket.emit(["a"], plain, lab.waiter("a"))
    lab.expired = false
    lab.machine.engineClosed("ping timeout", undefined)
    lab.fire(10)
    lab.up("/")
    assert.deepStrictEqual(sends(), ['send 420["a"]'])
  })

  it("wait for the connection, and let volatile events pass", () => {
    const lab = new ClientLab()
    const socket = lab.socket("/", { retries: 1 })
    assert.strictEqual(socket.emit(["a"]), "buffered")
    assert.isObject(socket.emit(["b", 1n]))
    socket.connect()
    lab.up("/")
    assert.strictEqual(socket.emit(["v"], volatile), "sent")
    assert.isObject(socket.emit(["c", 1n]))
    assert.deepStrictEqual(
      lab.take().filter((line) => line.startsWith("send 42")),
      ['send 420["a"]', 'send 42["v"]']
    )
  })

  it("refuse what cannot be encoded, also when its turn is now", () => {
    const { lab, socket, sends } = queued(1)
    assert.isObject(socket.emit(["a", 1n], plain, lab.waiter("a")))
    socket.emit(["b"])
    assert.deepStrictEqual(sends(), ['send 420["b"]'])
  })

  it("pass over an event that somebody has made impossible to encode meanwhile", () => {
    const { lab, socket, sends } = queued(1)
    const data: Array<unknown> = ["b", {}]
    socket.emit(["a"])
    socket.emit(data, plain, lab.waiter("b"))
    socket.emit(["c"])
    data[1] = 1n
    lab.receive("30[]")
    assert.deepStrictEqual(sends(), ['send 420["a"]', "b timeout", 'send 421["c"]'])
  })

  it("can be given up, waiting or under way", () => {
    const { lab, socket, sends } = queued(1)
    const a = lab.waiter("a")
    const b = lab.waiter("b")
    socket.emit(["a"], plain, a)
    socket.emit(["b"], plain, b)
    socket.emit(["c"], plain, lab.waiter("c"))
    socket.cancelAck(b)
    socket.cancelAck(a)
    assert.deepStrictEqual(sends(), ['send 420["a"]', 'send 421["c"]'])
    lab.machine.dispose()
    assert.include(sends(), "c disconnected io client disconnect")
    assert.deepStrictEqual([a.settled, b.settled], [0, 0])
  })

  it("settle at the end, also what was never sent", () => {
    const lab = new ClientLab()
    const socket = lab.socket("/", { retries: 1 })
    const waiter = lab.waiter("w")
    socket.emit(["a"], plain, waiter)
    lab.machine.remove(socket)
    assert.strictEqual(waiter.settled, 1)
    assert.isFalse(lab.machine.has("/"))
  })
})

describe("disconnecting", () => {
  it("tells the server, closes the engine with the last namespace, and does not reconnect", () => {
    const { lab, socket } = connected()
    const other = lab.socket("/other")
    other.connect()
    lab.receive('0/other,{"sid":"o"}')
    lab.take()
    socket.disconnect()
    socket.disconnect()
    assert.deepStrictEqual(lab.take(), ["send 41", "/ disconnect io client disconnect"])
    other.disconnect()
    assert.deepStrictEqual(lab.take(), [
      "send 41/other,",
      "/other disconnect io client disconnect",
      "close engine",
      "close forced close"
    ])
    lab.machine.engineClosed("transport close", undefined)
    assert.strictEqual(lab.timers.size, 0)
    assert.deepStrictEqual(lab.take(), [])
  })

  it("by the server says so, and does not reconnect", () => {
    const { lab, socket } = connected()
    lab.receive("1", "1")
    assert.deepStrictEqual(lab.take(), ["close engine", "close forced close", "/ disconnect io server disconnect"])
    assert.isFalse(socket.active)
    assert.strictEqual(lab.timers.size, 0)
  })

  it("while an attempt waits cancels it", () => {
    const { lab, socket } = connected({ delay: 10 })
    lab.machine.engineClosed("transport close", undefined)
    assert.isTrue(lab.machine.isReconnecting)
    socket.disconnect()
    assert.isFalse(lab.machine.isReconnecting)
    assert.strictEqual(lab.timers.size, 0)
    lab.take()
    socket.connect()
    assert.deepStrictEqual(lab.take(), ["/ connecting", "open engine"])
  })

  it("and connecting again when told of it works at once", () => {
    const { lab, socket } = connected()
    lab.react = (line) => {
      if (line === "/ disconnect io client disconnect") socket.connect()
    }
    socket.disconnect()
    assert.deepStrictEqual(lab.take(), ["send 41", "/ disconnect io client disconnect", "/ connecting", "send 40{}"])
  })

  for (const garbage of ["9", '2["a"', "3[]x", new Uint8Array([1]), '51-["a"]']) {
    it(`by garbage (${typeof garbage === "string" ? garbage : "stray binary"}) is a parse error, and it reconnects`, () => {
      const { lab } = connected({ delay: 10 })
      lab.receive(garbage, '2["after"]')
      const lines = lab.take()
      assert.include(["close engine", undefined], lines[0])
      if (garbage !== '51-["a"]') {
        assert.deepStrictEqual(lines.slice(0, 3), ["close engine", "close parse error", "/ disconnect parse error"])
      }
      assert.notInclude(lines, '/ event ["after"]')
      assert.include(lines, "waiting 1 10")
    })
  }

  it("closing the manager tells sockets that would go on, and does not reconnect", () => {
    const { lab, socket } = connected({ delay: 10 })
    lab.machine.close()
    lab.machine.close()
    assert.deepStrictEqual(lab.take(), ["close engine", "close forced close", "/ disconnect forced close"])
    assert.strictEqual(lab.timers.size, 0)
    assert.isTrue(socket.active)
  })

  it("closing it while it opens is silent", () => {
    const lab = new ClientLab()
    lab.socket("/").connect()
    lab.take()
    lab.machine.close()
    assert.deepStrictEqual(lab.take(), ["close engine"])
    assert.strictEqual(lab.timers.size, 0)
  })
})

describe("a held connection", () => {
  it("is opened and kept although no namespace wants one", () => {
    const lab = new ClientLab({ delay: 10 })
    lab.machine.hold()
    assert.strictEqual(lab.machine.state, "opening")
    lab.machine.engineOpened()
    assert.strictEqual(lab.machine.state, "open")
    lab.machine.engineClosed("transport close", undefined)
    assert.deepStrictEqual(lab.take().slice(-2), ["decide 1 transport: transport close", "waiting 1 10"])
    lab.machine.openNow()
    assert.deepStrictEqual(lab.take(), ["attempt 1", "open engine"])
    assert.strictEqual(lab.timers.size, 1)
    lab.machine.openNow()
    assert.deepStrictEqual(lab.take(), [])
  })

  it("of a namespace shows what came early", () => {
    const lab = new ClientLab()
    const socket = lab.socket("/")
    socket.connect()
    lab.machine.engineOpened()
    lab.receive('2["missed"]')
    assert.deepStrictEqual(socket.early, [{ data: ["missed"], id: undefined }])
  })

  it("that fails without a message fails with its reason, and a failure after the end is none", () => {
    const lab = new ClientLab({ delay: 10 })
    lab.socket("/").connect()
    lab.machine.engineClosed("parse error", undefined)
    assert.include(lab.take(), "error transport: parse error")
    lab.machine.engineClosed("parse error", undefined)
    assert.deepStrictEqual(lab.take(), [])
  })

  it("is not used any more by namespaces that come after the one that ended it", () => {
    const lab = new ClientLab()
    lab.socket("/a").connect()
    lab.socket("/b").connect()
    lab.react = (line) => {
      if (line.startsWith("send 40/a")) lab.machine.close()
    }
    lab.machine.engineOpened()
    assert.deepStrictEqual(lab.take().slice(-3), ["send 40/a,{}", "close engine", "close forced close"])
  })

  it("forgets a namespace once", () => {
    const { lab, socket } = connected()
    lab.machine.remove(socket)
    const again = lab.socket("/")
    lab.machine.remove(socket)
    assert.strictEqual(lab.socket("/"), again)
  })
})

describe("what comes too late", () => {
  it("changes nothing: timers that were cancelled, auths, ends of an engine that has ended", () => {
    const lab = new ClientLab({ delay: 10 })
    let attempts = 0
    const socket = lab.socket("/", {}, (_, attempt) => (attempts = attempt))
    socket.connect()
    const [opening] = lab.timers
    lab.machine.engineOpened()
    socket.authenticated(attempts, {})
    lab.receive('0{"sid":"s"}')
    const waiter = lab.waiter("w")
    socket.emit(["q"], plain, waiter, 100)
    const [asking] = lab.timers
    lab.receive("30[]")
    lab.machine.engineClosed("transport close", undefined)
    const [retrying] = lab.timers
    socket.disconnect()
    lab.take()
    opening!.target.onDeadline()
    asking!.target.onDeadline()
    retrying!.target.onDeadline()
    socket.authFailed(attempts, { kind: "auth", message: "late" })
    lab.machine.engineClosed("transport close", undefined)
    lab.machine.violated("late")
    lab.receive('2["late"]')
    assert.deepStrictEqual(lab.take(), [])
    assert.strictEqual(waiter.settled, 1)
  })
})

describe("reconnecting", () => {
  it("waits as told, counts attempts, and begins anew after a connection", () => {
    const { lab } = connected({})
    lab.machine.engineClosed("transport close", "why")
    assert.deepStrictEqual(lab.take(), [
      "close transport close",
      "/ disconnect transport close",
      "decide 1 transport: transport close"
    ])
    lab.machine.retryAfter(lab.decision, 100)
    lab.machine.retryAfter(lab.decision, 100)
    lab.machine.giveUp(lab.decision)
    assert.deepStrictEqual(lab.take(), ["waiting 1 100"])
    lab.fire(100)
    assert.deepStrictEqual(lab.take(), ["attempt 1", "open engine"])
    lab.machine.engineClosed("transport error", undefined, "xhr poll error")
    assert.deepStrictEqual(lab.take(), [
      "error transport: xhr poll error",
      "/ connect_error transport: xhr poll error",
      "reconnect_error transport: xhr poll error",
      "decide 2 transport: xhr poll error"
    ])
    lab.machine.retryAfter(lab.decision, 200)
    lab.fire(200)
    lab.up("/")
    assert.deepStrictEqual(lab.take(), [
      "waiting 2 200",
      "attempt 2",
      "open engine",
      "open",
      "send 40{}",
      "reconnect 2",
      "/ connect /-sid"
    ])
    lab.machine.engineClosed("transport close", undefined)
    assert.include(lab.take(), "decide 1 transport: transport close")
  })

  it("an attempt ends after its timeout", () => {
    const lab = new ClientLab({ delay: 10 })
    lab.socket("/").connect()
    lab.fire(20_000)
    assert.deepStrictEqual(lab.take(), [
      "/ connecting",
      "open engine",
      "close engine",
      "error transport: timeout",
      "/ connect_error transport: timeout",
      "decide 1 transport: timeout",
      "waiting 1 10"
    ])
    lab.machine.engineOpened()
    assert.deepStrictEqual(lab.take(), [])
  })

  it("without a timeout waits for ever", () => {
    const lab = new ClientLab({ timeout: undefined })
    lab.socket("/").connect()
    assert.strictEqual(lab.timers.size, 0)
  })

  it("gives up when told, and starts again with the next connect", () => {
    const { lab, socket } = connected({ delay: undefined })
    lab.machine.engineClosed("transport close", undefined)
    assert.deepStrictEqual(lab.take().slice(-1), ["reconnect_failed"])
    socket.connect()
    assert.deepStrictEqual(lab.take(), ["open engine"])
  })

  it("does not happen when it is off, unless somebody connects when told", () => {
    const { lab, socket } = connected({ reconnection: false })
    lab.machine.engineClosed("transport close", undefined)
    assert.deepStrictEqual(lab.take(), ["close transport close", "/ disconnect transport close"])
    socket.connect()
    lab.up("/")
    lab.take()
    lab.react = (line) => {
      if (line.startsWith("/ disconnect")) socket.connect()
    }
    lab.machine.engineClosed("transport close", undefined)
    assert.deepStrictEqual(lab.take(), ["close transport close", "/ disconnect transport close", "open engine"])
  })

  it("is called off by whoever disconnects when told of an attempt", () => {
    const { lab, socket } = connected({ delay: 10 })
    lab.react = (line) => {
      if (line === "attempt 1") socket.disconnect()
    }
    lab.machine.engineClosed("transport close", undefined)
    lab.take()
    lab.fire(10)
    assert.deepStrictEqual(lab.take(), ["attempt 1"])
  })

  it("ignores a decision about an attempt that is not wanted any more", () => {
    const { lab, socket } = connected({})
    lab.machine.engineClosed("transport close", undefined)
    const { decision } = lab
    socket.disconnect()
    lab.take()
    lab.machine.retryAfter(decision, 10)
    lab.machine.giveUp(decision)
    assert.deepStrictEqual(lab.take(), [])
    assert.strictEqual(lab.timers.size, 0)
  })

  it("does not happen for namespaces that nobody wants", () => {
    const { lab, socket } = connected({ delay: 10 })
    lab.react = (line) => {
      if (line.startsWith("/ disconnect transport")) socket.disconnect()
    }
    lab.machine.engineClosed("transport close", undefined)
    assert.strictEqual(lab.timers.size, 0)
  })
})

describe("packets that were decoded elsewhere", () => {
  it("reach their namespace while the engine is open, and nobody afterwards", () => {
    const { lab, socket } = connected()
    lab.machine.packet({ type: 2, nsp: "/", id: undefined, data: ["x"] })
    assert.deepStrictEqual(lab.take(), ['/ event ["x"]'])
    socket.disconnect()
    lab.take()
    lab.machine.packet({ type: 2, nsp: "/", id: undefined, data: ["late"] })
    assert.deepStrictEqual(lab.take(), [])
  })
})
