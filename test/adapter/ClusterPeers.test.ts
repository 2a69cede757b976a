/** The list of nodes by itself, over deadlines that a test fires when it likes. */
import { assert, describe, it } from "@effect/vitest"
import { ClusterPeers } from "../../src/adapter/ClusterPeers.ts"
import type { Deadline, Deadlines, Expirable } from "../../src/runtime/Deadlines.ts"

/** Time stands still until it is moved; deadlines fire then, however late that is. */
const makeTime = () => {
  let time = 0
  let set: Array<Deadline> = []
  const deadlines: Deadlines = {
    now: () => time,
    set: (millis: number, target: Expirable) => {
      const deadline: Deadline = { due: time + millis, queue: undefined, previous: undefined, next: undefined, target }
      set.push(deadline)
      return deadline
    },
    cancel: (deadline) => {
      set = set.filter((other) => other !== deadline)
    },
    get size() {
      return set.length
    }
  }
  const move = (millis: number): void => {
    time += millis
    const due = set.filter((deadline) => deadline.due <= time)
    set = set.filter((deadline) => deadline.due > time)
    for (const deadline of due) deadline.target.onDeadline(deadline)
  }
  return { deadlines, move }
}

const makePeers = (timeout = 10_000) => {
  const { deadlines, move } = makeTime()
  const log: Array<string> = []
  const peers = new ClusterPeers(deadlines, timeout, {
    peerFound: (uid, announced) => void log.push(`+${uid}${announced ? " new" : ""}`),
    peerLeft: (uid) => void log.push(`-${uid}`)
  })
  const pass = (seconds: number): void => {
    for (let i = 0; i < seconds; i++) move(1000)
  }
  return { peers, log, move, pass, deadlines }
}

describe("the list of nodes", () => {
  it("nodes are found once, and left when they were silent or said goodbye", () => {
    const { peers, log, pass } = makePeers()
    peers.heard("a", true)
    peers.heard("b", false)
    pass(9)
    peers.heard("a", false)
    pass(2)
    peers.left("a")
    peers.left("a")
    peers.left("never heard")
    assert.deepStrictEqual(log, ["+a new", "+b", "-b", "-a"])
    assert.strictEqual(peers.size, 0)
  })

  it("a process that stood still does not take the others for dead, but hears on", () => {
    const { peers, log, move, pass } = makePeers()
    peers.heard("a", false)
    move(60_000)
    assert.deepStrictEqual(log, ["+a"])
    pass(9)
    assert.deepStrictEqual(log, ["+a"])
    pass(3)
    assert.deepStrictEqual(log, ["+a", "-a"])
  })

  it("a node that has said goodbye is not brought back until its timeout has passed, and nothing is kept after", () => {
    const { peers, log, pass, deadlines } = makePeers()
    peers.heard("a", false)
    peers.left("a")
    peers.heard("a", false)
    assert.deepStrictEqual(log, ["+a", "-a"])
    pass(12)
    assert.strictEqual(deadlines.size, 0)
    peers.heard("a", false)
    assert.deepStrictEqual(log, ["+a", "-a", "+a"])
  })

  it("uids come from a network: so many are remembered, and no more", () => {
    const { peers } = makePeers()
    for (let i = 0; i < 20_000; i++) peers.heard(`u${i}`, false)
    for (let i = 0; i < 20_000; i++) peers.left(`v${i}`)
    assert.strictEqual(peers.size, 10_000)
  })
})
