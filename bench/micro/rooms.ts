/** Rooms beside `socket.io-adapter`: 10,000 sockets in 1,000 rooms, without anything being sent. */
import { Adapter } from "socket.io-adapter"
import { type Member, Rooms } from "../../src/socket/Rooms.ts"
import type { Case } from "./Case.ts"

const sockets = 10_000
const rooms = 1000
const idOf = (index: number): string => `socket-${index}-abcdefgh`
const roomOf = (index: number): string => `r${index % rooms}`
const noRooms: ReadonlySet<string> = new Set()

// What the official adapter asks of its namespace: sockets to be notified, by id.
const notified = new Map<string, object>()
let reached = 0
const receiver = {
  client: { writeToEngine: () => void reached++ },
  notifyOutgoingListeners: () => {}
}
const official = new Adapter({ sockets: notified, server: { encoder: { encode: () => ["2[]"] } } })

interface Socket extends Member {
  readonly index: number
}

const members = new Map<string, Socket>()
const ours = new Rooms<Socket>(members, {
  roomCreated() {},
  roomDeleted() {},
  roomJoined() {},
  roomLeft() {}
})

const all: Array<Socket> = []
for (let index = 0; index < sockets; index++) {
  const id = idOf(index)
  const groups = index % 100 === 0 ? [roomOf(index)] : [roomOf(index), "quiet"]
  notified.set(id, receiver)
  void official.addAll(id, new Set([id, ...groups]))
  const member: Socket = { id, index, memberships: new Set(groups), mark: 0 }
  members.set(id, member)
  ours.enter(member)
  all.push(member)
}

let at = 0
const next = (): number => (at = (at + 1) % sockets)

const visit = (): void => {
  reached++
}

const officialSelect = (to: ReadonlySet<string>, except: ReadonlySet<string>): void =>
  official.broadcast({ type: 2, data: [] }, { rooms: to as Set<string>, except: except as Set<string>, flags: {} })

const one = new Set(["r7"])
const quiet = new Set(["quiet"])
const two = new Set(["r7", "r8"])

/** Memberships and selections. */
export const cases: ReadonlyArray<Case> = [
  {
    name: "rooms: join and leave",
    official: () => {
      const index = next()
      const room = roomOf(index + 1)
      void official.addAll(idOf(index), new Set([room]))
      void official.del(idOf(index), room)
    },
    ours: () => {
      const index = next()
      const room = roomOf(index + 1)
      ours.join(all[index]!, room)
      ours.leave(all[index]!, room)
    }
  },
  {
    name: "rooms: select one room of 10",
    official: () => officialSelect(one, noRooms),
    ours: () => ours.select({ rooms: one, except: noRooms }, visit)
  },
  {
    name: "rooms: select the union of two",
    official: () => officialSelect(two, noRooms),
    ours: () => ours.select({ rooms: two, except: noRooms }, visit)
  },
  {
    name: "rooms: select all 10,000",
    official: () => officialSelect(noRooms, noRooms),
    ours: () => ours.select({ rooms: noRooms, except: noRooms }, visit)
  },
  {
    name: "rooms: all except a room of 9,900",
    official: () => officialSelect(noRooms, quiet),
    ours: () => ours.select({ rooms: noRooms, except: quiet }, visit)
  }
]
