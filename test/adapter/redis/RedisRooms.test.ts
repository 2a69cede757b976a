/** Names of channels, and rooms that others were put into lately. */
import { assert, describe, it } from "vitest"
import * as Channels from "../../../src/adapter/redis/RedisChannels.ts"
import { MovedRooms } from "../../../src/adapter/redis/RedisMovedRooms.ts"

describe("channels", () => {
  it("a pattern fits its namespace only", () => {
    assert.strictEqual(Channels.plain("socket.io", "/admin").broadcasts, "socket.io#/admin#*")
    assert.strictEqual(Channels.plain("a*", "/[x]?\\").broadcasts, "a\\*#/\\[x\\]\\?\\\\#*")
  })

  it("names below a channel", () => {
    const { broadcast } = Channels.plain("socket.io", "/")
    assert.strictEqual(Channels.nameBelow(broadcast, broadcast), "")
    assert.strictEqual(Channels.nameBelow(broadcast, Channels.below(broadcast, "a#b")), "a#b")
    assert.isUndefined(Channels.nameBelow(broadcast, `${broadcast}room`))
    assert.isUndefined(Channels.nameBelow(broadcast, "socket.io#/other#"))
  })
})

describe("moved rooms", () => {
  it("are remembered for five seconds from the last move on", () => {
    let now = 0
    const rooms = new MovedRooms(() => now)
    rooms.add("a")
    now = 3000
    rooms.add("a")
    rooms.add("b")
    now = 7999
    assert.isTrue(rooms.has("a") && rooms.has("b"))
    now = 8000
    assert.isFalse(rooms.has("a") || rooms.has("b"))
    assert.strictEqual(rooms.size, 0)
    assert.isFalse(rooms.has("c"))
  })

  it("are no more than ten thousand, and old ones go when new ones come", () => {
    let now = 0
    const rooms = new MovedRooms(() => now)
    for (let i = 0; i < 10_001; i++) rooms.add(`room ${i}`)
    assert.strictEqual(rooms.size, 10_000)
    assert.isFalse(rooms.has("room 0"))
    assert.isTrue(rooms.has("room 10000"))
    now = 5000
    rooms.add("new")
    assert.strictEqual(rooms.size, 1)
  })
})
