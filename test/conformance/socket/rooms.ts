/** Socket.IO: rooms and broadcasts, with and without acknowledgements. */
import * as assert from "node:assert/strict"
import { calm, type Case, type Context, socketSuite } from "../Case.ts"
import type { TransportName } from "../raw/Engine.ts"
import type { SocketIo } from "../raw/SocketIo.ts"
import type { SocketServer } from "../Target.ts"
import { connection } from "./connecting.ts"

type Given = Context<SocketServer>

interface Member {
  readonly io: SocketIo
  readonly id: string
}

/** Connections in a namespace of the case's own. */
const members = async (given: Given, ...transports: ReadonlyArray<TransportName>) => {
  const nsp = `/room-${given.unique}`
  const all: Array<Member> = []
  for (const transport of transports) {
    const io = await connection(given, transport)
    all.push({ io, id: await io.join(nsp) })
  }
  const told = (value: unknown): string => `2${nsp},${JSON.stringify(["told", value])}`
  return { nsp, told, all: all as [Member, Member, Member, Member] }
}

const cases: ReadonlyArray<Case<SocketServer>> = [
  {
    title: "a broadcast to the namespace reaches everybody, the sender too, over every transport",
    run: async (given) => {
      const { nsp, told, all } = await members(given, "polling", "websocket", "upgrade")
      await all[0].io.send(`2${nsp},["all",{"a":[1]}]`)
      for (const { io } of all) {
        await io.expect(told({ a: [1] }))
        await io.quiet(nsp)
      }
    }
  },
  {
    title: "a broadcast with an attachment reaches everybody, over every transport",
    run: async (given) => {
      const { nsp, all } = await members(given, "polling", "websocket", "upgrade")
      await all[0].io.send(`51-${nsp},["all",{"_placeholder":true,"num":0}]`, Buffer.from([1, 2]))
      for (const { io } of all) {
        await io.expect(`51-${nsp},["told",{"_placeholder":true,"num":0}]`, Buffer.from([1, 2]))
        await io.quiet(nsp)
      }
    }
  },
  {
    title: "to a room: its members but the sender, once each",
    run: async (given) => {
      const { nsp, told, all } = await members(given, "websocket", "polling", "upgrade", "websocket")
      const [one, two, three, four] = all
      for (const { io } of [one, two, three]) await io.call(nsp, "join", "room")
      await one.io.call(nsp, "to", ["room"], [], "x")
      for (const { io } of [two, three]) await io.expect(told("x"))
      for (const { io } of [one, two, three, four]) await io.quiet(nsp)
    }
  },
  {
    title: "to several rooms: who is in more than one hears it once",
    run: async (given) => {
      const { nsp, told, all } = await members(given, "websocket", "websocket", "websocket")
      const [one, two, three] = all
      await two.io.call(nsp, "join", "a")
      await two.io.call(nsp, "join", "b")
      await three.io.call(nsp, "join", "b")
      await one.io.call(nsp, "to", ["a", "b"], [], "x")
      for (const { io } of [two, three]) {
        await io.expect(told("x"))
        await io.quiet(nsp)
      }
    }
  },
  {
    title: "except: members of a room are left out, of everybody and of a room",
    run: async (given) => {
      const { nsp, told, all } = await members(given, "websocket", "websocket", "websocket")
      const [one, two, three] = all
      await two.io.call(nsp, "join", "a")
      await three.io.call(nsp, "join", "a")
      await three.io.call(nsp, "join", "muted")
      await one.io.call(nsp, "to", [], ["muted"], 1)
      await one.io.call(nsp, "to", ["a"], ["muted"], 2)
      await two.io.expect(told(1), told(2))
      for (const { io } of all) await io.quiet(nsp)
    }
  },
  {
    title: "a socket's own id is a room",
    run: async (given) => {
      const { nsp, told, all } = await members(given, "websocket", "websocket", "websocket")
      const [one, two, three] = all
      await one.io.call(nsp, "to", [two.id], [], "private")
      await two.io.expect(told("private"))
      await one.io.call(nsp, "to", [], [two.id], "all but two")
      await three.io.expect(told("all but two"))
      for (const { io } of all) await io.quiet(nsp)
    }
  },
  {
    title: "to one's own room from oneself: nobody hears it",
    run: async (given) => {
      const { nsp, all } = await members(given, "websocket", "websocket")
      await all[0].io.call(nsp, "to", [all[0].id], [], "x")
      for (const { io } of all) await io.quiet(nsp)
    }
  },
  {
    title: "a room that is empty, or is named like a prototype's property, holds nobody",
    run: async (given) => {
      const { nsp, told, all } = await members(given, "websocket", "websocket")
      const [one, two] = all
      for (const room of ["nobody", "__proto__", "constructor", ""]) await one.io.call(nsp, "to", [room], [], "x")
      await two.io.quiet(nsp)
      await two.io.call(nsp, "join", "__proto__")
      await one.io.call(nsp, "to", ["__proto__"], [], "y")
      await two.io.expect(told("y"))
    }
  },
  {
    title: "after leaving, and after joining twice and leaving once, one is out",
    run: async (given) => {
      const { nsp, told, all } = await members(given, "websocket", "websocket")
      const [one, two] = all
      await two.io.call(nsp, "join", "a")
      await two.io.call(nsp, "join", "a")
      await one.io.call(nsp, "to", ["a"], [], 1)
      await two.io.expect(told(1))
      await two.io.call(nsp, "leave", "a")
      await two.io.call(nsp, "leave", "never joined")
      await one.io.call(nsp, "to", ["a"], [], 2)
      await two.io.quiet(nsp)
    }
  },
  {
    title: "one who disconnected is in no room, also after coming back",
    run: async (given) => {
      const { nsp, all } = await members(given, "websocket", "websocket")
      const [one, two] = all
      await two.io.call(nsp, "join", "a")
      await two.io.send(`1${nsp},`)
      await given.server.disconnectOf(two.id)
      await two.io.join(nsp)
      await one.io.call(nsp, "to", ["a"], [], "x")
      await two.io.quiet(nsp)
    }
  },
  {
    title: "rooms of the same name in two namespaces do not mix",
    run: async (given) => {
      const { nsp, told, all } = await members(given, "websocket", "websocket")
      const [one, two] = all
      const other = `${nsp}-other`
      await two.io.join(other)
      await two.io.call(other, "join", "a")
      await one.io.call(nsp, "to", ["a"], [], "x")
      await two.io.quiet(nsp)
      await two.io.call(nsp, "join", "a")
      await one.io.call(nsp, "to", ["a"], [], "y")
      await two.io.expect(told("y"))
    }
  },
  {
    title: "a broadcast and an event to one socket keep their order",
    run: async (given) => {
      const { nsp, told, all } = await members(given, "websocket", "websocket")
      const [one] = all
      for (let i = 0; i < 20; i++) {
        await one.io.send(`2${nsp},["message",${i}]`, `2${nsp},["all",${i}]`)
      }
      for (let i = 0; i < 20; i++) await one.io.expect(`2${nsp},["message-back",${i}]`, told(i))
    }
  },
  {
    title: "sockets of a room are made to join another",
    run: async (given) => {
      const { nsp, told, all } = await members(given, "websocket", "websocket", "websocket")
      const [one, two] = all
      await two.io.call(nsp, "join", "a")
      await one.io.call(nsp, "join-room-of", "a", "b")
      await one.io.call(nsp, "to", ["b"], [], "x")
      await two.io.expect(told("x"))
      for (const { io } of all) await io.quiet(nsp)
    }
  },
  {
    title: "sockets of a room are disconnected: told, and gone",
    run: async (given) => {
      const { nsp, all } = await members(given, "websocket", "websocket", "polling")
      const [one, two, three] = all
      for (const { io } of [two, three]) await io.call(nsp, "join", "a")
      await one.io.call(nsp, "kick", "a", false)
      for (const { io, id } of [two, three]) {
        await io.expect(`1${nsp},`)
        assert.equal((await given.server.disconnectOf(id)).reason, "server namespace disconnect")
        await io.join()
        await io.quiet()
      }
      assert.deepEqual(await one.io.call(nsp, "count"), [1])
    }
  },
  {
    title: "sockets of a room are disconnected with close: their connections end",
    run: async (given) => {
      const { nsp, all } = await members(given, "websocket", "websocket", "polling")
      const [one, two, three] = all
      for (const { io } of [two, three]) await io.call(nsp, "join", "a")
      await one.io.call(nsp, "kick", "a", true)
      for (const { io } of [two, three]) await io.closed()
      await one.io.quiet(nsp)
    }
  }
]

const idOf = (packet: string | Buffer): string => {
  const id = /,(\d+)\[/.exec(String(packet))?.[1]
  assert.ok(id !== undefined, `no question with an id: ${String(packet)}`)
  return id
}

const asked: ReadonlyArray<Case<SocketServer>> = [
  {
    title: "everybody is asked and answers, over every transport",
    run: async (given) => {
      const { nsp, all } = await members(given, "websocket", "polling", "upgrade")
      const asker = await connection(given)
      await asker.join(nsp)
      await asker.send(`2${nsp},5["ask-all",2000,"who?"]`)
      for (const [i, { io }] of all.entries()) {
        const id = idOf(await io.next())
        await io.send(`3${nsp},${id}[${i}]`)
      }
      const id = idOf(await asker.next())
      await asker.send(`3${nsp},${id}[9]`)
      await asker.expect(`3${nsp},5["answers",[0,1,2,9]]`)
    }
  },
  {
    title: "one who does not answer in time: failed, with the answers that came",
    run: async (given) => {
      const { nsp, all } = await members(given, "websocket", "websocket", "websocket")
      const [one, two, three] = all
      await one.io.send(`2${nsp},5["ask-all",150,"who?"]`)
      for (const { io } of [one, two]) {
        const id = idOf(await io.next())
        await io.send(`3${nsp},${id}[1]`)
      }
      const late = idOf(await three.io.next())
      await one.io.expect(`3${nsp},5["failed",[1,1]]`)
      await three.io.send(`3${nsp},${late}[1]`)
      for (const { io } of all) await io.quiet(nsp)
    }
  },
  {
    title: "asked without a timeout, all answers arrive",
    run: async (given) => {
      const { nsp, all } = await members(given, "websocket", "websocket")
      const [one, two] = all
      await one.io.send(`2${nsp},5["ask-all",0,"who?"]`)
      const first = idOf(await one.io.next())
      const second = idOf(await two.io.next())
      // Later than the millisecond after which setTimeout(undefined) fires.
      await new Promise((resolve) => setTimeout(resolve, 30))
      await one.io.send(`3${nsp},${first}[1]`)
      await two.io.send(`3${nsp},${second}[2]`)
      await one.io.expect(`3${nsp},5["answers",[1,2]]`)
    },
    official: {
      because: "T18: a broadcast with acknowledgement and without timeout fails after a millisecond with no answers",
      instead: async (given) => {
        const { nsp, all } = await members(given, "websocket", "websocket")
        const [one, two] = all
        await one.io.send(`2${nsp},5["ask-all",0,"who?"]`)
        idOf(await one.io.next())
        idOf(await two.io.next())
        await one.io.expect(`3${nsp},5["failed",[]]`)
      }
    }
  },
  {
    title: "asked with a timeout, one who disconnects instead of answering fails the question at once",
    run: async (given) => {
      const { nsp, all } = await members(given, "websocket", "websocket")
      const [one, two] = all
      const from = performance.now()
      await one.io.send(`2${nsp},5${JSON.stringify(["ask", two.id, 1_500, "?"])}`)
      idOf(await two.io.next())
      two.io.leave()
      await one.io.expect(`3${nsp},5["failed"]`)
      const ms = performance.now() - from
      assert.ok(ms < 1_000, `failed after ${ms.toFixed(0)} ms`)
    },
    official: {
      because: "T5: the acknowledgement of a socket that has disconnected is awaited for the whole timeout",
      instead: async (given) => {
        const { nsp, all } = await members(given, "websocket", "websocket")
        const [one, two] = all
        const from = performance.now()
        await one.io.send(`2${nsp},5${JSON.stringify(["ask", two.id, 400, "?"])}`)
        idOf(await two.io.next())
        two.io.leave()
        await one.io.expect(`3${nsp},5["failed"]`)
        const ms = performance.now() - from
        assert.ok(ms >= 395, `failed after ${ms.toFixed(0)} ms`)
      }
    }
  },
  {
    title: "asked without a timeout, one who disconnects instead of answering fails the question at once",
    run: async (given) => {
      const { nsp, all } = await members(given, "websocket", "websocket")
      const [one, two] = all
      await one.io.send(`2${nsp},5${JSON.stringify(["ask", two.id, 0, "?"])}`)
      idOf(await two.io.next())
      two.io.leave()
      await one.io.expect(`3${nsp},5["failed"]`)
    },
    official: {
      because: "T5: without a timeout the acknowledgement of a socket that has disconnected never settles",
      instead: async (given) => {
        const { nsp, all } = await members(given, "websocket", "websocket")
        const [one, two] = all
        await one.io.send(`2${nsp},5${JSON.stringify(["ask", two.id, 0, "?"])}`)
        idOf(await two.io.next())
        two.io.leave()
        await given.server.disconnectOf(two.id)
        await new Promise((resolve) => setTimeout(resolve, 300))
        await one.io.quiet(nsp)
      }
    }
  }
]

/** Suites about rooms. */
export const roomSuites = [
  socketSuite("Socket.IO rooms and broadcasts", calm, cases),
  socketSuite("Socket.IO questions to others", calm, asked)
]
