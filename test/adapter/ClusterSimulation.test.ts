/**
 * Clusters to which everything happens, in virtual time: nodes start, leave, die, are cut off and come back, on slow ways. Whatever the order,
 * no answer is passed for the whole when a part is missing, nothing overtakes, and with a store nothing is lost or doubled.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import { AdapterError, type NamespaceAdapter } from "../../src/adapter/Adapter.ts"
import * as ClusterAdapter from "../../src/adapter/ClusterAdapter.ts"
import type { ClusterNode } from "../../src/adapter/ClusterNode.ts"
import * as MemoryBroker from "../../src/testing/MemoryBroker.ts"
import { property } from "../properties.ts"
import * as Gen from "../protocol/generate.ts"
import { all, event, plain, Recorder } from "../suites/cluster/Recorder.ts"

interface SimulatedNode {
  readonly name: string
  readonly scope: Scope.Closeable
  readonly sockets: Recorder
  readonly adapter: NamespaceAdapter
  /** What it could not be told a place for: delivered here without one, and perhaps by others with one. */
  readonly doubtful: Set<unknown>
  /** In the cluster now. */
  present: boolean
  connected: boolean
  /** Virtual milliseconds since when nothing has happened to it. */
  steadySince: number
}

/** A node is expected to answer what is asked so long after it was disturbed, when all others have heard of it again. */
const settled = 8000

const simulate = (seed: number) =>
  Effect.gen(function* () {
    const random = Gen.random(seed)
    const broker = yield* MemoryBroker.make({ store: true })
    yield* broker.latency(random.below(40))
    const nodes: Array<SimulatedNode> = []
    let now = 0
    let names = 0
    /** When something has last happened to any node; the dead are remembered for a while. */
    let trouble = 0
    const questions: Array<string> = []
    let answered = 0
    const here = (): Array<SimulatedNode> => nodes.filter(({ present }) => present)
    const pick = (from: ReadonlyArray<SimulatedNode>): SimulatedNode | undefined =>
      from.length === 0 ? undefined : random.pick(from)

    const start = Effect.gen(function* () {
      const name = `n${++names}`
      const scope = yield* Scope.make()
      const sockets = new Recorder("/sim", { maxDisconnectionDuration: 60_000 })
      sockets.answer = () => [name]
      const opening = yield* broker.connect(name).pipe(
        Effect.flatMap((node) => ClusterAdapter.make(node).make(sockets)),
        Scope.provide(scope),
        Effect.forkChild({ startImmediately: true })
      )
      yield* TestClock.adjust("100 millis")
      now += 100
      const exit = opening.pollUnsafe()
      assert.isTrue(exit !== undefined && Exit.isSuccess(exit), "the node did not start")
      if (exit === undefined || !Exit.isSuccess(exit)) return
      trouble = now
      nodes.push({
        name,
        scope,
        sockets,
        adapter: exit.value,
        doubtful: new Set(),
        present: true,
        connected: true,
        steadySince: now
      })
    })

    const ask = (asker: SimulatedNode) =>
      Effect.gen(function* () {
        const asked = now
        const expected = here().filter((node) => node !== asker && node.connected && asked - node.steadySince > settled)
        const sure = asker.connected && asked - asker.steadySince > settled
        const undisturbed = (node: SimulatedNode): boolean => node.present && node.connected && node.steadySince < asked
        const quiet = asked - trouble > 12_000
        const result = yield* Effect.exit(Stream.runCollect(asker.adapter.serverSideEmitWithAck(event("load"), 3000)))
        answered++
        const missing = (answers: ReadonlyArray<ReadonlyArray<unknown>>): Array<string> =>
          expected
            .filter((node) => undisturbed(node) && !answers.some(([name]) => name === node.name))
            .map(({ name }) => name)
        if (!sure || !undisturbed(asker)) return
        if (Exit.isSuccess(result)) {
          if (missing(result.value).length > 0) questions.push(`at ${asked}: without ${missing(result.value).join()}`)
          return
        }
        const error = result.cause.reasons.find(({ _tag }) => _tag === "Fail") as
          | { readonly error?: unknown }
          | undefined
        if (!(error?.error instanceof AdapterError) || error.error.reason !== "Timeout") {
          questions.push(`at ${asked}: failed otherwise`)
        } else if (missing(error.error.received as ReadonlyArray<ReadonlyArray<unknown>>).length > 0) {
          questions.push(`at ${asked}: a partial result without some who were there`)
        } else if (quiet && trouble < asked) {
          questions.push(`at ${asked}: a timeout although nothing had happened`)
        }
      })

    let texts = 0
    let asking = 0
    for (let i = 0; i < 3; i++) yield* start
    for (let step = 0; step < 120; step++) {
      const node = pick(here())
      switch (random.below(14)) {
        case 0:
          if (here().length < 6) yield* start
          break
        case 1:
          if (node !== undefined && here().length > 2) {
            node.present = false
            trouble = now
            if (random.below(2) === 0) yield* broker.kill(node.name)
            yield* Effect.forkChild(Scope.close(node.scope, Exit.void), { startImmediately: true })
          }
          break
        case 2:
          if (node?.connected === true) {
            node.connected = false
            trouble = now
            yield* broker.cut(node.name)
          }
          break
        case 3:
        case 4:
        case 5: {
          const away = pick(here().filter(({ connected }) => !connected))
          if (away !== undefined) {
            away.connected = true
            trouble = now
            away.steadySince = now
            yield* broker.heal(away.name)
          }
          break
        }
        case 6:
        case 7:
          if (node !== undefined) {
            asking++
            yield* Effect.forkChild(ask(node), { startImmediately: true })
          }
          break
        case 8:
          yield* TestClock.adjust(10_000)
          now += 10_000
          break
        default:
          if (node?.connected === true) {
            const text = `${node.name} ${++texts}`
            node.adapter.recovery!.append(all, event("said", text), plain, (offset) => {
              if (offset === undefined) node.doubtful.add(text)
              else node.sockets.deliver(all, event("said", text), plain, offset)
            })
          }
      }
      const pause = random.below(60)
      yield* TestClock.adjust(pause)
      now += pause
    }
    for (const node of here()) if (!node.connected) yield* broker.heal(node.name)
    yield* TestClock.adjust("20 seconds")

    assert.deepStrictEqual(questions, [])
    assert.strictEqual(answered, asking)
    const log = new Map<string, unknown>()
    for (const node of nodes) {
      const offsets = node.sockets.delivered.map(({ offset }) => Number(offset))
      assert.deepStrictEqual(
        offsets,
        [...new Set(offsets)].sort((a, b) => a - b),
        `${node.name} heard something twice or out of order`
      )
      for (const { offset, event } of node.sockets.delivered) {
        const known = log.get(offset!)
        assert.isTrue(known === undefined || known === event.data[1], "one place, two events")
        log.set(offset!, event.data[1])
      }
      assert.strictEqual((node.adapter as ClusterNode).pending, 0)
    }
    const places = [...log].sort(([a], [b]) => Number(a) - Number(b))
    for (const node of here()) {
      const first = Number(node.sockets.delivered[0]?.offset ?? places.length + 1)
      const expected = places.filter(([place, text]) => Number(place) >= first && !node.doubtful.has(text))
      assert.deepStrictEqual(
        node.sockets.texts,
        expected.map(([, text]) => text),
        `${node.name} has missed something`
      )
      assert.strictEqual(yield* node.adapter.serverCount, here().length)
    }
    return { answered, events: places.length }
  })

describe("a cluster to which everything happens", () => {
  it.effect(
    "keeps its promises",
    () =>
      Effect.gen(function* () {
        let answered = 0
        let events = 0
        for (let seed = 1; seed <= property(8).runs; seed++) {
          const run = yield* simulate(seed).pipe(
            Effect.scoped,
            Random.withSeed(`${seed}`),
            Effect.catchDefect((defect) => Effect.die(new Error(`seed ${seed}`, { cause: defect })))
          )
          answered += run.answered
          events += run.events
        }
        // The simulation is no use where little happens in it.
        assert.isAbove(answered, 50)
        assert.isAbove(events, 200)
      }),
    60_000 * property(1).runs
  )
})
