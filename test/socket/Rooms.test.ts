import { assert, describe, it } from "@effect/vitest"
import { type Member, Rooms } from "../../src/socket/Rooms.ts"

class Person implements Member {
  readonly id: string
  memberships: Set<string> | undefined = undefined
  mark = 0

  constructor(id: string) {
    this.id = id
  }
}

const make = () => {
  const members = new Map<string, Person>()
  const log: Array<string> = []
  const rooms = new Rooms<Person>(members, {
    roomCreated: (room) => log.push(`create ${room}`),
    roomDeleted: (room) => log.push(`delete ${room}`),
    roomJoined: (room, id) => log.push(`join ${room} ${id}`),
    roomLeft: (room, id) => log.push(`leave ${room} ${id}`)
  })
  const enter = (id: string, ...before: ReadonlyArray<string>): Person => {
    const person = new Person(id)
    if (before.length > 0) person.memberships = new Set([id, ...before])
    members.set(id, person)
    rooms.enter(person)
    return person
  }
  const exit = (person: Person): void => {
    rooms.leaveAll(person)
    members.delete(person.id)
  }
  const select = (to: ReadonlyArray<string>, except: ReadonlyArray<string> = []): Array<string> =>
    rooms.list({ rooms: new Set(to), except: new Set(except) }).map(({ id }) => id)
  return { rooms, members, log, enter, exit, select }
}

describe("rooms", () => {
  it("everybody is in the room of their id, until they leave it", () => {
    const { rooms, enter, exit, log, select } = make()
    const a = enter("a")
    assert.deepStrictEqual(select(["a"]), ["a"])
    assert.strictEqual(rooms.size("a"), 1)
    assert.deepStrictEqual(log.splice(0), ["create a", "join a a"])
    rooms.leave(a, "a")
    assert.deepStrictEqual(select(["a"]), [])
    assert.deepStrictEqual(select([]), ["a"])
    assert.deepStrictEqual(log.splice(0), ["leave a a", "delete a"])
    rooms.join(a, "a")
    assert.deepStrictEqual(select(["a"]), ["a"])
    exit(a)
    assert.deepStrictEqual(log, ["create a", "join a a", "leave a a", "delete a"])
    assert.strictEqual(rooms.names().size, 0)
  })

  it("somebody else may join the room of an id", () => {
    const { rooms, enter, exit, log, select } = make()
    const a = enter("a")
    const b = enter("b")
    log.length = 0
    rooms.join(b, "a")
    assert.deepStrictEqual(log.splice(0), ["join a b"])
    assert.sameMembers(select(["a"]), ["a", "b"])
    exit(a)
    assert.deepStrictEqual(log.splice(0), ["leave a a"])
    assert.deepStrictEqual(select(["a"]), ["b"])
    enter("a")
    assert.deepStrictEqual(log.splice(0), ["join a a"])
    assert.sameMembers(select(["a"]), ["a", "b"])
  })

  it("rooms noted before entering are joined after the own one", () => {
    const { enter, log } = make()
    enter("a", "x", "y")
    assert.deepStrictEqual(log, ["create a", "join a a", "create x", "join x a", "create y", "join y a"])
  })

  it("joining twice and leaving where one is not are nothing", () => {
    const { rooms, enter, log } = make()
    const a = enter("a")
    rooms.join(a, "x")
    log.length = 0
    rooms.join(a, "x")
    rooms.leave(a, "y")
    assert.deepStrictEqual(log, [])
  })

  it("names like those of Object's prototype are rooms like others", () => {
    const { rooms, enter, select } = make()
    const a = enter("a")
    for (const room of ["__proto__", "constructor", "toString"]) {
      assert.deepStrictEqual(select([room]), [])
      rooms.join(a, room)
      assert.deepStrictEqual(select([room]), ["a"])
    }
  })

  it("against a naive model: any sequence of changes, any selection", () => {
    // A linear congruential generator: the same sequence in every run.
    let seed = 42
    const random = (n: number): number => {
      seed = (seed * 1103515245 + 12345) & 0x7fffffff
      return (seed >> 8) % n
    }
    for (let round = 0; round < 200; round++) {
      const { rooms, members, log, enter, exit, select } = make()
      const model = new Map<string, Set<string>>()
      const live = new Set<string>()
      const names = ["a", "b", "c", "d", "r1", "r2", "r3"]
      const ids = ["a", "b", "c", "d"]
      for (let step = 0; step < 40; step++) {
        const id = ids[random(ids.length)]!
        const room = names[random(names.length)]!
        const member = members.get(id)
        const action = random(4)
        if (member === undefined) {
          enter(id)
          model.set(id, new Set([id]))
        } else if (action === 0) {
          exit(member)
          model.delete(id)
        } else if (action === 1) {
          rooms.leave(member, room)
          model.get(id)!.delete(room)
        } else {
          rooms.join(member, room)
          model.get(id)!.add(room)
        }
        for (const entry of log.splice(0)) {
          const [what, which] = entry.split(" ") as [string, string]
          if (what === "create") {
            assert.isFalse(live.has(which), entry)
            live.add(which)
          } else if (what === "delete") assert.isTrue(live.delete(which), entry)
          else assert.isTrue(what === "leave" || live.has(which), entry)
        }
        const expectedRooms = new Set(Array.from(model.values()).flatMap((set) => Array.from(set)))
        assert.deepStrictEqual(new Set(rooms.names()), expectedRooms)
        assert.deepStrictEqual(live, expectedRooms)
        const to = names.filter(() => random(3) === 0)
        const except = names.filter(() => random(4) === 0)
        const expected = Array.from(model)
          .filter(([, set]) => (to.length === 0 || to.some((r) => set.has(r))) && !except.some((r) => set.has(r)))
          .map(([id]) => id)
        const selected = select(to, except)
        assert.sameMembers(selected, expected)
        assert.strictEqual(new Set(selected).size, selected.length)
        for (const name of names) {
          const size = Array.from(model.values()).filter((set) => set.has(name)).length
          assert.strictEqual(rooms.size(name), size)
          assert.strictEqual(rooms.ids(name).size, size)
        }
      }
    }
  })
})
