import { assert, describe, it } from "@effect/vitest"
import type { ClientSocket } from "../../src/protocol/ClientSocket.ts"
import { ClientLab } from "./ClientLab.ts"

/** A small generator of numbers that are the same for the same seed. */
const generator = (seed: number) => {
  let state = seed
  return (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const flags = { volatile: false, compress: true, hasBinary: undefined }

/** Runs so many random inputs and gives what came of it. */
const run = (seed: number, steps: number, retries: number | undefined) => {
  const pick = generator(seed)
  const lab = new ClientLab({})
  const names = ["/", "/b"] as const
  const auths: Array<() => void> = []
  const sockets: ReadonlyArray<ClientSocket> = names.map((name) =>
    lab.socket(name, { retries, ackTimeout: 50 }, (socket, attempt) => {
      if (pick(2) === 0) socket.authenticated(attempt, {})
      else auths.push(() => socket.authenticated(attempt, {}))
    })
  )
  const waiters: Array<ReturnType<ClientLab["waiter"]>> = []
  let events = 0
  let sids = 0
  const faults: Array<string> = []
  // An event is only heard by a socket that is connected or about to be told so, and never by one that nobody wants.
  lab.react = (line) => {
    const [name, what] = line.split(" ")
    const socket = sockets[names.indexOf(name as "/")]
    if (what === "event" && socket?.active !== true) faults.push(`${line} without wanting it`)
    if (pick(40) === 0) sockets[pick(2)]!.disconnect()
    if (pick(40) === 0) sockets[pick(2)]!.connect()
  }
  const inputs: ReadonlyArray<() => void> = [
    () => sockets[pick(2)]!.connect(),
    () => {
      if (pick(4) === 0) sockets[pick(2)]!.disconnect()
    },
    () => {
      const waiter = lab.waiter(`w${waiters.length}`)
      waiters.push(waiter)
      sockets[pick(2)]!.emit(["q", events++], flags, waiter, pick(2) === 0 ? 70 : undefined)
    },
    () => void sockets[pick(2)]!.emit(["e", events++], { ...flags, volatile: pick(3) === 0 }),
    () => lab.machine.engineOpened(),
    () => lab.machine.engineOpened(),
    () => {
      if (pick(5) === 0) lab.machine.engineClosed("transport close", undefined, "xhr poll error")
    },
    () => lab.receive(pick(2) === 0 ? `0{"sid":"s${sids++}"}` : `0/b,{"sid":"s${sids++}"}`),
    () => lab.receive(pick(2) === 0 ? `0{"sid":"s${sids++}"}` : `0/b,{"sid":"s${sids++}"}`),
    () => {
      if (pick(10) === 0) lab.receive(pick(2) === 0 ? "1" : "1/b,")
    },
    () => {
      if (pick(10) === 0) lab.receive(pick(2) === 0 ? '4{"message":"no"}' : '4/b,{"message":"no"}')
    },
    () => lab.receive(`2${pick(2) === 0 ? "" : "/b,"}${pick(2) === 0 ? "" : pick(9)}["x"]`),
    () => lab.receive(`3${pick(2) === 0 ? "" : "/b,"}${pick(Math.max(1, events))}["y"]`),
    () => {
      if (pick(20) === 0) lab.receive("garbage")
    },
    () => {
      const timers = [...lab.timers]
      const timer = timers[pick(timers.length)]
      if (timer !== undefined && lab.timers.delete(timer)) timer.target.onDeadline()
    },
    () => lab.machine.retryAfter(lab.decision, 10),
    () => {
      if (pick(10) === 0) lab.machine.giveUp(lab.decision)
    },
    () => auths.splice(pick(auths.length), 1)[0]?.(),
    () => {
      lab.expired = pick(10) === 0
      lab.writable = pick(4) !== 0
    },
    () => {
      const waiter = waiters[pick(waiters.length)]
      if (waiter !== undefined && waiter.settled === 0 && pick(10) === 0) {
        for (const socket of sockets) socket.cancelAck(waiter)
        waiter.settled = 1
        waiter.onAck = waiter.onTimeout = waiter.onDisconnect = () => faults.push("settled after it was given up")
      }
    }
  ]
  for (let i = 0; i < steps; i++) inputs[pick(inputs.length)]!()
  lab.react = () => {}
  lab.machine.dispose()
  return { lab, waiters, faults, log: lab.log }
}

/** The events of each namespace, in the order in which they left, by the numbers they were emitted with. */
const sent = (log: ReadonlyArray<string>, nsp: "/" | "/b"): ReadonlyArray<number> =>
  log.flatMap((line) => {
    const match = /^send 42(\/b,)?\d*\["[qe]",(\d+)\]$/.exec(line)
    return match !== null && (match[1] === undefined) === (nsp === "/") ? [Number(match[2])] : []
  })

describe("whatever the order of inputs", () => {
  for (const retries of [undefined, 2]) {
    const kind = retries === undefined ? "without retries" : "with retries"

    it(`every acknowledgement settles exactly once, ${kind}`, () => {
      let total = 0
      for (let seed = 1; seed <= 400; seed++) {
        const { waiters, faults, lab } = run(seed, 300, retries)
        for (const waiter of waiters) assert.strictEqual(waiter.settled, 1, `seed ${seed}`)
        assert.deepStrictEqual(faults, [], `seed ${seed}`)
        assert.strictEqual(lab.timers.size, 0, `a timer is left, seed ${seed}`)
        total += waiters.length
      }
      assert.isAbove(total, 4000)
    })
  }

  it("events leave in the order in which they were emitted, each at most once without retries", () => {
    let total = 0
    for (let seed = 1; seed <= 400; seed++) {
      const { log } = run(seed, 300, undefined)
      for (const nsp of ["/", "/b"] as const) {
        const numbers = sent(log, nsp)
        for (let i = 1; i < numbers.length; i++) assert.isAbove(numbers[i]!, numbers[i - 1]!, `seed ${seed}`)
        total += numbers.length
      }
    }
    assert.isAbove(total, 4000)
  })

  it("connects and disconnects alternate, and events come in between or before a connect", () => {
    for (let seed = 1; seed <= 400; seed++) {
      const { log } = run(seed, 300, undefined)
      for (const nsp of ["/", "/b"]) {
        let up = false
        for (const line of log) {
          if (line.startsWith(`${nsp} connect `)) {
            assert.isFalse(up, `seed ${seed}: ${line}`)
            up = true
          } else if (line.startsWith(`${nsp} disconnect `)) {
            // One that is disconnected by somebody who hears an early event never hears that it was connected.
            up = false
          }
        }
        assert.isFalse(up, `seed ${seed}: still connected at the end`)
      }
    }
  })

  it("the same inputs give the same outputs", () => {
    for (let seed = 1; seed <= 50; seed++) {
      assert.deepStrictEqual(run(seed, 300, 2).log, run(seed, 300, 2).log)
    }
  })
})
