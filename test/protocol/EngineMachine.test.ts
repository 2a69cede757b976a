import { assert, describe, it } from "@effect/vitest"
import * as CloseReason from "../../src/protocol/CloseReason.ts"
import * as EngineHandshake from "../../src/protocol/EngineHandshake.ts"
import * as EngineMachine from "../../src/protocol/EngineMachine.ts"
import * as EnginePacket from "../../src/protocol/EnginePacket.ts"

type State = EngineMachine.State
type Input = EngineMachine.Input
type Output = EngineMachine.Output

const config: EngineMachine.ServerConfig = { pingInterval: 300, pingTimeout: 200, upgradeTimeout: 1000 }
const handshake = { sid: "abc", upgrades: ["websocket"], maxPayload: 1e6 }
const make = EnginePacket.make

const packet = (type: EnginePacket.EnginePacketType, data?: string): Input => ({
  _tag: "Packet",
  lane: "current",
  packet: make(type, data)
})
const probePacket = (type: EnginePacket.EnginePacketType, data?: string): Input => ({
  _tag: "Packet",
  lane: "probe",
  packet: make(type, data)
})
const fired = (timer: EngineMachine.Timer): Input => ({ _tag: "TimerFired", timer })
const activity: Input = { _tag: "Activity" }
const probeOpened: Input = { _tag: "ProbeOpened" }
const currentPaused: Input = { _tag: "CurrentPaused" }
const pollWaiting: Input = { _tag: "PollWaiting" }

/** Outputs as short texts, in order. */
const show = (output: Output): string => {
  switch (output._tag) {
    case "Send":
      return `send ${output.lane} ${String(EnginePacket.encode(output.packet))}`
    case "StartTimer":
      return `start ${output.timer} ${output.millis}`
    case "StopTimer":
      return `stop ${output.timer}`
    case "Opened":
      return `opened ${output.sid} ${output.upgrades.join("+")} ${output.pingInterval} ${output.pingTimeout} ${output.maxPayload}`
    case "DropProbe":
      return `drop ${output.reason}`
    case "Closed":
      return `closed ${output.reason}${output.description === undefined ? "" : `: ${output.description}`}`
    default:
      return output._tag
  }
}

const play = (state: State, ...inputs: ReadonlyArray<Input>): readonly [State, ReadonlyArray<string>] => {
  let current = state
  let last: ReadonlyArray<Output> = []
  for (const input of inputs) {
    const [next, outputs] = EngineMachine.step(current, input)
    current = next
    last = outputs
  }
  return [current, last.map(show)]
}

const last = (state: State, ...inputs: ReadonlyArray<Input>): ReadonlyArray<string> => play(state, ...inputs)[1]
const after = (state: State, ...inputs: ReadonlyArray<Input>): State => play(state, ...inputs)[0]

const server = EngineMachine.initialServer(config, handshake)[0]
const openData = EngineHandshake.encode({ ...handshake, pingInterval: 300, pingTimeout: 200 })
const client = after(EngineMachine.initialClient, packet("open", openData))

describe("EngineMachine, server", () => {
  it("begins with the open packet and the first ping interval", () => {
    const [, outputs] = EngineMachine.initialServer(config, handshake)
    assert.deepStrictEqual(outputs.map(show), [
      `send current 0{"sid":"abc","upgrades":["websocket"],"pingInterval":300,"pingTimeout":200,"maxPayload":1000000}`,
      "start pingInterval 300"
    ])
  })

  it("pings, waits, and rests again after the pong", () => {
    assert.deepStrictEqual(last(server, fired("pingInterval")), ["send current 2", "start pingTimeout 200"])
    assert.deepStrictEqual(last(server, fired("pingInterval"), packet("pong")), [
      "stop pingTimeout",
      "start pingInterval 300",
      "Heartbeat"
    ])
    assert.deepStrictEqual(after(server, fired("pingInterval"), packet("pong")), server)
  })

  it("closes with ping timeout when no pong comes", () => {
    const [state, outputs] = play(server, fired("pingInterval"), fired("pingTimeout"))
    assert.deepStrictEqual(outputs, ["stop pingTimeout", "closed ping timeout"])
    assert.strictEqual(state._tag, "Closed")
  })

  it("extends the wait once when something else arrives, and again only after the next ping", () => {
    const waiting = after(server, fired("pingInterval"))
    assert.isTrue(EngineMachine.awaitsPong(waiting))
    assert.deepStrictEqual(last(waiting, activity), ["start pingTimeout 200"])
    assert.deepStrictEqual(last(waiting, packet("noop")), ["start pingTimeout 200"])
    const extended = after(waiting, activity)
    assert.isFalse(EngineMachine.awaitsPong(extended))
    assert.deepStrictEqual(last(extended, activity), [])
    assert.deepStrictEqual(last(extended, fired("pingTimeout")), ["stop pingTimeout", "closed ping timeout"])
    const next = after(extended, packet("pong"), fired("pingInterval"))
    assert.deepStrictEqual(last(next, activity), ["start pingTimeout 200"])
  })

  it("takes activity at rest for nothing", () => {
    assert.isFalse(EngineMachine.awaitsPong(server))
    assert.deepStrictEqual(last(server, activity), [])
  })

  it("does not let a pong nobody asked for put off the next ping", () => {
    assert.deepStrictEqual(last(server, packet("pong")), ["Heartbeat"])
  })

  it("closes on a ping of the client: invalid heartbeat direction", () => {
    assert.deepStrictEqual(last(server, packet("ping")), [
      "stop pingInterval",
      "closed transport error: invalid heartbeat direction"
    ])
  })

  it("closes on a close packet", () => {
    assert.deepStrictEqual(last(server, packet("close")), ["stop pingInterval", "closed transport close"])
  })

  it("closes on what cannot be decoded", () => {
    assert.deepStrictEqual(last(server, { _tag: "Undecodable", lane: "current", message: "bad" }), [
      "stop pingInterval",
      "closed parse error: bad"
    ])
  })

  it("ignores packets that mean nothing here", () => {
    for (const type of ["open", "upgrade", "noop", "message"] as const) {
      assert.deepStrictEqual(play(server, packet(type)), [server, []])
    }
  })

  it("closes with its transport, for the transport's reason", () => {
    assert.deepStrictEqual(
      last(server, { _tag: "TransportClosed", lane: "current", reason: CloseReason.transportError }),
      ["stop pingInterval", "closed transport error"]
    )
  })

  it("closes on request", () => {
    assert.deepStrictEqual(last(server, { _tag: "CloseRequested", reason: CloseReason.forcedClose }), [
      "stop pingInterval",
      "closed forced close"
    ])
  })

  it("upgrades: probe, answer, release of polls, switch", () => {
    assert.isTrue(EngineMachine.canProbe(server))
    assert.isFalse(EngineMachine.isProbing(server))
    assert.deepStrictEqual(last(server, probeOpened), ["start upgradeTimeout 1000"])
    const opened = after(server, probeOpened)
    assert.isTrue(EngineMachine.isProbing(opened))
    assert.deepStrictEqual(last(opened, probePacket("ping", "probe")), [
      "send probe 3probe",
      "PauseCurrent",
      "start pollRelease 100"
    ])
    const confirmed = after(opened, probePacket("ping", "probe"))
    assert.deepStrictEqual(last(confirmed, fired("pollRelease")), ["PauseCurrent", "start pollRelease 100"])
    assert.deepStrictEqual(last(confirmed, probePacket("upgrade")), [
      "stop upgradeTimeout",
      "stop pollRelease",
      "Switch"
    ])
    const upgraded = after(confirmed, probePacket("upgrade"))
    assert.isFalse(EngineMachine.canProbe(upgraded))
    assert.isFalse(EngineMachine.isProbing(upgraded))
  })

  it("releases the first two polls that come after the answer to the probe at once, later ones with the interval", () => {
    const opened = after(server, probeOpened)
    assert.deepStrictEqual(play(opened, pollWaiting), [opened, []])
    const confirmed = after(opened, probePacket("ping", "probe"))
    assert.deepStrictEqual(last(confirmed, pollWaiting), ["PauseCurrent"])
    assert.deepStrictEqual(last(confirmed, pollWaiting, pollWaiting), ["PauseCurrent"])
    const released = after(confirmed, pollWaiting, pollWaiting)
    assert.deepStrictEqual(play(released, pollWaiting), [released, []])
    assert.deepStrictEqual(play(released, fired("pollRelease")), [released, ["PauseCurrent", "start pollRelease 100"]])
    assert.isFalse(EngineMachine.canProbe(released))
    assert.deepStrictEqual(last(released, probePacket("upgrade")), [
      "stop upgradeTimeout",
      "stop pollRelease",
      "Switch"
    ])
    assert.deepStrictEqual(play(released, fired("upgradeTimeout")), [
      server,
      ["stop upgradeTimeout", "stop pollRelease", "drop upgrade timeout"]
    ])
  })

  it("accepts an upgrade without a probe, as Engine.IO does", () => {
    assert.deepStrictEqual(last(server, probeOpened, probePacket("upgrade")), ["stop upgradeTimeout", "Switch"])
  })

  it("keeps waiting for the pong across the upgrade, with the full time again", () => {
    const upgraded = play(server, fired("pingInterval"), probeOpened, probePacket("upgrade"))
    assert.deepStrictEqual(upgraded[1], ["stop upgradeTimeout", "Switch", "start pingTimeout 200"])
    assert.deepStrictEqual(last(upgraded[0], fired("pingTimeout")), ["stop pingTimeout", "closed ping timeout"])
  })

  it("takes one probe at a time and one upgrade in a life", () => {
    const opened = after(server, probeOpened)
    assert.isFalse(EngineMachine.canProbe(opened))
    assert.deepStrictEqual(play(opened, probeOpened), [opened, []])
    const upgraded = after(opened, probePacket("upgrade"))
    assert.deepStrictEqual(play(upgraded, probeOpened), [upgraded, []])
  })

  it("drops a probe that says something else, is undecodable, goes away or takes too long", () => {
    const opened = after(server, probeOpened)
    for (const input of [probePacket("ping"), probePacket("message", "x"), probePacket("pong", "probe")]) {
      assert.deepStrictEqual(play(opened, input), [server, ["stop upgradeTimeout", "drop unexpected probe packet"]])
    }
    assert.deepStrictEqual(last(opened, { _tag: "Undecodable", lane: "probe", message: "bad" }), [
      "stop upgradeTimeout",
      "drop bad"
    ])
    assert.deepStrictEqual(
      last(opened, { _tag: "TransportClosed", lane: "probe", reason: CloseReason.transportClose }),
      ["stop upgradeTimeout", "drop transport closed"]
    )
    const confirmed = after(opened, probePacket("ping", "probe"))
    assert.deepStrictEqual(play(confirmed, fired("upgradeTimeout")), [
      server,
      ["stop upgradeTimeout", "stop pollRelease", "drop upgrade timeout"]
    ])
    assert.isTrue(EngineMachine.canProbe(after(confirmed, fired("upgradeTimeout"))))
  })

  it("stops the timers of the probe when it closes", () => {
    const confirmed = after(server, probeOpened, probePacket("ping", "probe"))
    assert.deepStrictEqual(last(confirmed, packet("close")), [
      "stop pingInterval",
      "stop upgradeTimeout",
      "stop pollRelease",
      "closed transport close"
    ])
  })

  it("ignores what comes late", () => {
    for (const input of [
      fired("pingTimeout"),
      fired("upgradeTimeout"),
      fired("pollRelease"),
      probePacket("upgrade"),
      currentPaused,
      pollWaiting
    ]) {
      assert.deepStrictEqual(play(server, input), [server, []])
    }
    const waiting = after(server, fired("pingInterval"))
    assert.deepStrictEqual(play(waiting, fired("pingInterval")), [waiting, []])
  })
})

describe("EngineMachine, client", () => {
  it("waits for the open packet, whatever else comes", () => {
    const start = EngineMachine.initialClient
    assert.isFalse(EngineMachine.canProbe(start))
    for (const input of [packet("ping"), packet("message", "x"), fired("pingTimeout"), probeOpened, activity]) {
      assert.deepStrictEqual(play(start, input), [start, []])
    }
    assert.deepStrictEqual(last(start, packet("open", openData)), [
      "opened abc websocket 300 200 1000000",
      "start pingTimeout 500"
    ])
  })

  it("closes when the handshake is none", () => {
    assert.deepStrictEqual(last(EngineMachine.initialClient, packet("open", "{}")), [
      "closed parse error: invalid handshake"
    ])
    assert.deepStrictEqual(last(EngineMachine.initialClient, packet("close")), ["closed transport close"])
  })

  it("answers pings and starts its patience anew", () => {
    assert.deepStrictEqual(last(client, packet("ping")), ["send current 3", "start pingTimeout 500", "Heartbeat"])
  })

  it("closes with ping timeout when the server is silent", () => {
    assert.deepStrictEqual(last(client, fired("pingTimeout")), ["stop pingTimeout", "closed ping timeout"])
  })

  it("ignores a second handshake and packets that mean nothing here", () => {
    for (const input of [packet("open", openData), packet("pong"), packet("noop"), packet("upgrade"), activity]) {
      assert.deepStrictEqual(play(client, input), [client, []])
    }
    for (const timer of ["pingInterval", "upgradeTimeout", "pollRelease"] as const) {
      assert.deepStrictEqual(play(client, fired(timer)), [client, []])
    }
  })

  it("closes on a close packet, on garbage, with its transport and on request", () => {
    assert.deepStrictEqual(last(client, packet("close")), ["stop pingTimeout", "closed transport close"])
    assert.deepStrictEqual(last(client, { _tag: "Undecodable", lane: "current", message: "bad" }), [
      "stop pingTimeout",
      "closed parse error: bad"
    ])
    assert.deepStrictEqual(
      last(client, { _tag: "TransportClosed", lane: "current", reason: CloseReason.transportError }),
      ["stop pingTimeout", "closed transport error"]
    )
    assert.deepStrictEqual(last(client, { _tag: "CloseRequested", reason: CloseReason.forcedClose }), [
      "stop pingTimeout",
      "closed forced close"
    ])
  })

  it("upgrades: probe, pause, upgrade packet before the switch", () => {
    assert.isTrue(EngineMachine.canProbe(client))
    assert.deepStrictEqual(last(client, probeOpened), ["send probe 2probe"])
    const asked = after(client, probeOpened)
    assert.isTrue(EngineMachine.isProbing(asked))
    assert.deepStrictEqual(last(asked, probePacket("pong", "probe")), ["PauseCurrent"])
    assert.deepStrictEqual(play(asked, probePacket("pong", "probe"), currentPaused), [
      client,
      ["send probe 5", "Switch"]
    ])
  })

  it("keeps its transport when the probe fails, before and during the pause", () => {
    const asked = after(client, probeOpened)
    const pausing = after(asked, probePacket("pong", "probe"))
    assert.deepStrictEqual(play(asked, probePacket("pong")), [client, ["drop probe error"]])
    assert.deepStrictEqual(play(asked, probePacket("message", "x")), [client, ["drop probe error"]])
    assert.deepStrictEqual(play(pausing, probePacket("pong", "probe")), [client, ["drop probe error"]])
    for (const state of [asked, pausing]) {
      assert.deepStrictEqual(play(state, { _tag: "Undecodable", lane: "probe", message: "bad" }), [
        client,
        ["drop bad"]
      ])
      assert.deepStrictEqual(
        play(state, { _tag: "TransportClosed", lane: "probe", reason: CloseReason.transportError }),
        [client, ["drop transport closed"]]
      )
    }
    assert.deepStrictEqual(play(pausing, probeOpened), [pausing, []])
  })

  it("ignores what comes late", () => {
    for (const input of [currentPaused, pollWaiting, probePacket("pong", "probe")]) {
      assert.deepStrictEqual(play(client, input), [client, []])
    }
  })
})

describe("EngineMachine, ended", () => {
  const ended = after(server, packet("close"))

  it("ignores everything and asks for nothing", () => {
    assert.isFalse(EngineMachine.awaitsPong(ended))
    assert.isFalse(EngineMachine.canProbe(ended))
    assert.isFalse(EngineMachine.isProbing(ended))
    for (const input of [packet("ping"), fired("pingTimeout"), probeOpened, activity, currentPaused]) {
      assert.deepStrictEqual(play(ended, input), [ended, []])
    }
  })
})

describe("EngineMachine, any inputs in any order", () => {
  const types = EnginePacket.types
  const timers = ["pingInterval", "pingTimeout", "upgradeTimeout", "pollRelease"] as const
  const inputs: ReadonlyArray<Input> = [
    ...types.flatMap((type) => [packet(type), probePacket(type), packet(type, "probe"), probePacket(type, "probe")]),
    packet("open", openData),
    ...timers.map(fired),
    activity,
    probeOpened,
    currentPaused,
    pollWaiting,
    { _tag: "Undecodable", lane: "current", message: "bad" },
    { _tag: "Undecodable", lane: "probe", message: "bad" },
    { _tag: "TransportClosed", lane: "current", reason: CloseReason.transportClose },
    { _tag: "TransportClosed", lane: "probe", reason: CloseReason.transportClose },
    { _tag: "CloseRequested", reason: CloseReason.forcedClose }
  ]

  /** Everything that can be reached, by breadth; states are small and few. */
  const reachable = (initial: State, running: ReadonlySet<EngineMachine.Timer>): void => {
    const seen = new Map<string, true>()
    const queue: Array<readonly [State, ReadonlySet<EngineMachine.Timer>]> = [[initial, running]]
    for (let item = queue.pop(); item !== undefined; item = queue.pop()) {
      const [state, before] = item
      const key = JSON.stringify([state, [...before].sort()])
      if (seen.has(key)) continue
      seen.set(key, true)
      for (const input of inputs) {
        const now = new Set(before)
        if (input._tag === "TimerFired" && !now.delete(input.timer)) continue
        const [next, outputs] = EngineMachine.step(state, input)
        let probing = EngineMachine.isProbing(state)
        if (input._tag === "ProbeOpened") probing = EngineMachine.isProbing(next)
        for (const [index, output] of outputs.entries()) {
          if (output._tag === "StartTimer") now.add(output.timer)
          if (output._tag === "StopTimer") now.delete(output.timer)
          if (output._tag === "Closed") assert.strictEqual(index, outputs.length - 1, "Closed is the last output")
          if (output._tag === "Switch" || output._tag === "DropProbe") {
            assert.isTrue(probing, "only a probe that is there is switched to or dropped")
            probing = false
          }
          if (output._tag === "Send" && output.lane === "probe") assert.isTrue(probing, "no sending to a missing probe")
        }
        if (next._tag === "Closed") {
          assert.deepStrictEqual([...now], [], "no timer outlives the session")
          continue
        }
        assert.strictEqual(EngineMachine.isProbing(next), probing)
        if (next._tag === "Server") {
          assert.strictEqual(now.has("pingInterval"), next.heartbeat === "resting")
          assert.strictEqual(now.has("pingTimeout"), next.heartbeat !== "resting", "an open session is always watched")
          assert.strictEqual(now.has("upgradeTimeout"), next.probe !== "none")
          assert.strictEqual(now.has("pollRelease"), next.probe !== "none" && next.probe !== "opened")
        } else {
          assert.strictEqual(now.has("pingTimeout"), next.silence !== undefined)
        }
        queue.push([next, now])
      }
    }
    assert.isAbove(seen.size, 3)
  }

  it("never leaves a server without its timers, nor a timer without its session", () => {
    reachable(server, new Set(["pingInterval"]))
  })

  it("never leaves a client without its timers, nor a timer without its session", () => {
    reachable(EngineMachine.initialClient, new Set())
  })
})

describe("the machine of those who are never a server", () => {
  it("steps as the whole machine does, and leaves the states of servers and of the closed alone", () => {
    const client = EngineMachine.initialClient
    const input: EngineMachine.Input = { _tag: "CloseRequested", reason: "forced close" }
    assert.deepStrictEqual(EngineMachine.stepAsClient(client, input), EngineMachine.step(client, input))
    const [closed] = EngineMachine.step(client, input)
    assert.deepStrictEqual(EngineMachine.stepAsClient(closed, input), [closed, []])
  })
})
