import { assert, describe, it } from "@effect/vitest"
import * as Names from "../../../src/adapter/redis/RedisStreamNames.ts"

const naming = { streamName: "socket.io", streamCount: 4 }

describe("streams of namespaces", () => {
  it("one stream has the plain name", () => {
    assert.strictEqual(Names.streamOf("/notifications", { streamName: "s", streamCount: 1 }), "s")
    assert.isUndefined(Names.strayStreamOf("/notifications", { streamName: "s", streamCount: 1 }))
  })

  it("the hash is that of official nodes", () => {
    assert.strictEqual(Names.hash("/notifications"), -1014064871)
    assert.strictEqual(Names.hash("/"), 47)
  })

  it("T10: a namespace with a negative hash goes to a stream that everybody reads", () => {
    assert.strictEqual(Names.streamOf("/notifications", naming), "socket.io-3")
    // What official nodes write, and do not read.
    assert.strictEqual(Names.strayStreamOf("/notifications", naming), "socket.io--3")
  })

  it("others are where official nodes have them", () => {
    assert.strictEqual(Names.streamOf("/", naming), "socket.io-3")
    assert.isUndefined(Names.strayStreamOf("/", naming))
    for (let i = 0; i < 1000; i++) {
      const name = `/namespace-${i}`
      const remainder = Names.hash(name) % 4
      assert.include(["socket.io-0", "socket.io-1", "socket.io-2", "socket.io-3"], Names.streamOf(name, naming))
      if (remainder >= 0) assert.strictEqual(Names.streamOf(name, naming), `socket.io-${remainder}`)
      assert.strictEqual(Names.strayStreamOf(name, naming) === undefined, remainder >= 0)
    }
  })
})
