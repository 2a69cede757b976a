/** Socket.IO: events, acknowledgements and binary attachments, over each transport. */
import * as assert from "node:assert/strict"
import { calm, type Case, type Context, socketSuite } from "../Case.ts"
import type { SocketServer } from "../Target.ts"
import { connection, overEach } from "./connecting.ts"

type Given = Context<SocketServer>

const bytes = (...values: ReadonlyArray<number>): Buffer => Buffer.from(values)

const placeholder = (num: number): string => `{"_placeholder":true,"num":${num}}`

const texts: ReadonlyArray<readonly [what: string, args: string]> = [
  ["no arguments", ""],
  ["text", ',"hello"'],
  ["several arguments of every JSON kind", ',1,"2",{"3":["4",{"5":null}]},true,false,null,1.5e-7'],
  ["characters outside the basic plane", ',"ñ € 💩"'],
  ["lone surrogates", ',"\\ud800"'],
  ["something like a placeholder", ',{"_placeholder":true,"num":0}'],
  ["names of the prototype", ',{"__proto__":{"x":1},"constructor":{"prototype":2}}'],
  ["a hundred arguments", Array.from({ length: 100 }, (_, i) => `,${i}`).join("")],
  ["deep nesting", `,${"[".repeat(100)}1${"]".repeat(100)}`],
  ["a long text", `,"${"x".repeat(100_000)}"`]
]

const plain: ReadonlyArray<Case<SocketServer>> = [
  ...overEach("an event comes back", async (io) => {
    await io.join()
    await io.send('2["message",1,"2",{"3":[true]}]')
    await io.expect('2["message-back",1,"2",{"3":[true]}]')
  }),
  ...overEach("an event of another namespace comes back there", async (io) => {
    await io.join()
    await io.join("/custom")
    await io.send('2/custom,["message","x"]', '2["message","y"]')
    const back = [await io.next(), await io.next()]
    assert.deepEqual(back, ['2/custom,["message-back","x"]', '2["message-back","y"]'])
  }),
  ...texts
    .filter(([what]) => what !== "something like a placeholder")
    .map(([what, args]) => ({
      title: `${what} come back as they were`,
      run: async (given: Given) => {
        const io = await connection(given)
        await io.join()
        await io.send(`2["message"${args}]`)
        await io.expect(`2["message-back"${args}]`)
      }
    })),
  {
    title: "something like a placeholder in a text event is data",
    run: async (given) => {
      const io = await connection(given)
      await io.join()
      await io.send(`2["message",${placeholder(0)}]`)
      await io.expect(`2["message-back",${placeholder(0)}]`)
    }
  },
  {
    title: "white space in the JSON does not matter",
    run: async (given) => {
      const io = await connection(given)
      await io.join()
      await io.send('2[ "message" ,\n\t{ "a" : 1 } ]')
      await io.expect('2["message-back",{"a":1}]')
    }
  },
  {
    title: "an event that nobody listens to does no harm, whatever its name",
    run: async (given) => {
      const io = await connection(given)
      await io.join()
      for (const name of [
        '"nobody"',
        '""',
        '"__proto__"',
        '"constructor"',
        '"toString"',
        '"error"',
        '"connection"',
        "1",
        "0"
      ]) {
        await io.send(`2[${name},1]`)
      }
      await io.quiet()
    }
  },
  {
    title: "an event that nobody listens to, with an acknowledgement asked for, gets none",
    run: async (given) => {
      const io = await connection(given)
      await io.join()
      await io.send('27["nobody"]')
      await io.quiet()
    }
  },
  ...overEach("five hundred events come back in order", async (io) => {
    await io.join()
    for (let i = 0; i < 10; i++) await io.send(...Array.from({ length: 50 }, (_, j) => `2["message",${i * 50 + j}]`))
    for (let i = 0; i < 500; i++) await io.expect(`2["message-back",${i}]`)
  }),
  ...overEach("five hundred events of the server arrive in order", async (io) => {
    await io.join()
    await io.send('2["burst",500]')
    for (let i = 0; i < 500; i++) await io.expect(`2["burst",${i}]`)
  }),
  ...overEach("events, acknowledgements and attachments of several namespaces keep their order", async (io) => {
    await io.join()
    await io.join("/custom")
    await io.send(
      '2["message",1]',
      `51-/custom,["message",${placeholder(0)}]`,
      bytes(1),
      '27["message-with-ack",2]',
      `51-["message",${placeholder(0)}]`,
      bytes(2),
      '2/custom,["message",3]'
    )
    await io.expect(
      '2["message-back",1]',
      `51-/custom,["message-back",${placeholder(0)}]`,
      bytes(1),
      "37[2]",
      `51-["message-back",${placeholder(0)}]`,
      bytes(2),
      '2/custom,["message-back",3]'
    )
  })
]

const acks: ReadonlyArray<Case<SocketServer>> = [
  ...overEach("an event is acknowledged with its arguments", async (io) => {
    await io.join()
    await io.send('2456["message-with-ack",1,"2",{"3":[false]}]')
    await io.expect('3456[1,"2",{"3":[false]}]')
  }),
  ...overEach("in another namespace too", async (io) => {
    await io.join("/custom")
    await io.send('2/custom,789["message-with-ack",1,"2"]')
    await io.expect('3/custom,789[1,"2"]')
  }),
  {
    title: "an acknowledgement without arguments is an empty array",
    run: async (given) => {
      const io = await connection(given)
      await io.join()
      await io.send('20["message-with-ack"]')
      await io.expect("30[]")
    }
  },
  ...["0", "7", "12", "123456789", "9007199254740991"].map((id) => ({
    title: `the id ${id} is given back`,
    run: async (given: Given) => {
      const io = await connection(given)
      await io.join()
      await io.send(`2${id}["message-with-ack","x"]`)
      await io.expect(`3${id}["x"]`)
    }
  })),
  {
    title: "leading zeros of an id are dropped",
    run: async (given) => {
      const io = await connection(given)
      await io.join()
      await io.send('200012["message-with-ack","x"]')
      await io.expect('312["x"]')
    }
  },
  {
    title: "a handler that acknowledges twice is heard once",
    run: async (given) => {
      const io = await connection(given)
      await io.join()
      await io.send('25["double-ack"]')
      await io.expect("35[1]")
      await io.quiet()
    }
  },
  {
    title: "acknowledgements with the same id in two namespaces do not mix",
    run: async (given) => {
      const io = await connection(given)
      await io.join()
      await io.join("/custom")
      await io.send('21["message-with-ack","main"]', '2/custom,1["message-with-ack","custom"]')
      await io.expect('31["main"]', '3/custom,1["custom"]')
    }
  },
  ...overEach("the server asks, the client acknowledges", async (io, given) => {
    const nsp = `/room-${given.unique}`
    const me = await io.join(nsp)
    const asker = await connection(given)
    await asker.join(nsp)
    const answer = asker.call(nsp, "ask", me, 2_000, "ready?")
    const question = await io.next()
    assert.match(String(question), new RegExp(`^2${nsp},\\d+\\["question","ready\\?"\\]$`))
    const id = /,(\d+)\[/.exec(String(question))?.[1]
    await io.send(`3${nsp},${id}["yes"]`)
    assert.deepEqual(await answer, ["answer", "yes"])
  }),
  {
    title: "the server asks with a timeout, nobody answers: it fails in time, and a late answer does no harm",
    run: async (given) => {
      const nsp = `/room-${given.unique}`
      const io = await connection(given)
      const me = await io.join(nsp)
      const asker = await connection(given)
      await asker.join(nsp)
      const from = performance.now()
      const answer = asker.call(nsp, "ask", me, 150, "ready?")
      const id = /,(\d+)\[/.exec(String(await io.next()))?.[1]
      assert.deepEqual(await answer, ["failed"])
      const ms = performance.now() - from
      assert.ok(ms >= 145 && ms < 1_000, `failed after ${ms.toFixed(0)} ms`)
      await io.send(`3${nsp},${id}["late"]`)
      await io.quiet(nsp)
      await asker.quiet(nsp)
    }
  },
  {
    title: "an acknowledgement that nobody asked for does no harm",
    run: async (given) => {
      const io = await connection(given)
      await io.join()
      await io.send('399["x"]', '30["x"]', '39007199254740991["x"]')
      await io.quiet()
    }
  },
  {
    title: "an answer given twice counts once",
    run: async (given) => {
      const nsp = `/room-${given.unique}`
      const io = await connection(given)
      const me = await io.join(nsp)
      const asker = await connection(given)
      await asker.join(nsp)
      const answer = asker.call(nsp, "ask", me, 2_000, "ready?")
      const id = /,(\d+)\[/.exec(String(await io.next()))?.[1]
      await io.send(`3${nsp},${id}["first"]`, `3${nsp},${id}["second"]`)
      assert.deepEqual(await answer, ["answer", "first"])
      await asker.quiet(nsp)
    }
  },
  {
    title: "an answer to somebody else's question does not count",
    run: async (given) => {
      const nsp = `/room-${given.unique}`
      const io = await connection(given)
      const me = await io.join(nsp)
      const asker = await connection(given)
      await asker.join(nsp)
      const answer = asker.call(nsp, "ask", me, 200, "ready?")
      const id = /,(\d+)\[/.exec(String(await io.next()))?.[1]
      const stranger = await connection(given)
      await stranger.join(nsp)
      await stranger.send(`3${nsp},${id}["stolen"]`)
      await stranger.quiet(nsp)
      assert.deepEqual(await answer, ["failed"])
    }
  }
]

const binary: ReadonlyArray<Case<SocketServer>> = [
  ...overEach("an event with an attachment comes back", async (io) => {
    await io.join()
    await io.send(`51-["message",${placeholder(0)}]`, bytes(1, 2, 3))
    await io.expect(`51-["message-back",${placeholder(0)}]`, bytes(1, 2, 3))
  }),
  ...overEach("several attachments, nested, with data between them", async (io) => {
    await io.join()
    await io.send(`52-["message",${placeholder(0)},"text",{"a":[${placeholder(1)},1]}]`, bytes(1, 2, 3), bytes(4, 5, 6))
    await io.expect(
      `52-["message-back",${placeholder(0)},"text",{"a":[${placeholder(1)},1]}]`,
      bytes(1, 2, 3),
      bytes(4, 5, 6)
    )
  }),
  ...overEach("an acknowledgement with attachments", async (io) => {
    await io.join()
    await io.send(`52-789["message-with-ack",${placeholder(0)},${placeholder(1)}]`, bytes(1, 2, 3), bytes(4, 5, 6))
    await io.expect(`62-789[${placeholder(0)},${placeholder(1)}]`, bytes(1, 2, 3), bytes(4, 5, 6))
  }),
  ...overEach("in another namespace, event and acknowledgement", async (io) => {
    await io.join("/custom")
    await io.send(`51-/custom,["message",${placeholder(0)}]`, bytes(7))
    await io.expect(`51-/custom,["message-back",${placeholder(0)}]`, bytes(7))
    await io.send(`51-/custom,3["message-with-ack",${placeholder(0)}]`, bytes(8))
    await io.expect(`61-/custom,3[${placeholder(0)}]`, bytes(8))
  }),
  {
    title: "an empty attachment",
    run: async (given) => {
      const io = await connection(given)
      await io.join()
      await io.send(`51-["message",${placeholder(0)}]`, bytes())
      await io.expect(`51-["message-back",${placeholder(0)}]`, bytes())
    }
  },
  {
    title: "an attachment of half a megabyte",
    run: async (given) => {
      const io = await connection(given, "polling")
      await io.join()
      const big = Buffer.alloc(500_000, "half a megabyte")
      await io.send(`51-["message",${placeholder(0)}]`, big)
      await io.expect(`51-["message-back",${placeholder(0)}]`, big)
    }
  },
  {
    title: "placeholders in another order than the attachments",
    run: async (given) => {
      const io = await connection(given)
      await io.join()
      await io.send(`52-["message",${placeholder(1)},${placeholder(0)}]`, bytes(0), bytes(1))
      await io.expect(`52-["message-back",${placeholder(0)},${placeholder(1)}]`, bytes(1), bytes(0))
    }
  },
  {
    title: "ten attachments are taken",
    run: async (given) => {
      const io = await connection(given)
      await io.join()
      const all = Array.from({ length: 10 }, (_, i) => placeholder(i)).join(",")
      const data = Array.from({ length: 10 }, (_, i) => bytes(i))
      await io.send(`510-["message",${all}]`, ...data)
      await io.expect(`510-["message-back",${all}]`, ...data)
    }
  },
  ...overEach("the server asks, the client acknowledges with an attachment", async (io, given) => {
    const nsp = `/room-${given.unique}`
    const me = await io.join(nsp)
    const asker = await connection(given)
    await asker.join(nsp)
    await asker.send(`2${nsp},1${JSON.stringify(["ask", me, 2_000, "ready?"])}`)
    const id = /,(\d+)\[/.exec(String(await io.next()))?.[1]
    await io.send(`61-${nsp},${id}[${placeholder(0)}]`, bytes(9))
    await asker.expect(`61-${nsp},1["answer",${placeholder(0)}]`, bytes(9))
  })
]

/** Suites about events. */
export const eventSuites = [
  socketSuite("Socket.IO events", calm, plain),
  socketSuite("Socket.IO acknowledgements", calm, acks),
  socketSuite("Socket.IO attachments", calm, binary)
]
