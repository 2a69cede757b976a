/** What is known of the rooms one is in, and the part of it that is shown. */
import * as View from "./view.ts"

/** A message of the contract. */
export interface Message extends View.Line {
  readonly id: string
  readonly room: string
}

interface Room {
  readonly lines: Array<Message>
  /** Who is seen typing, and by how many signs of it that have not faded yet. */
  readonly typing: Map<string, number>
  members: ReadonlyArray<string>
  unread: number
}

/** The rooms of one stay. */
export interface Conversations {
  readonly current: string
  readonly names: ReadonlyArray<string>
  show(room: string): void
  entered(room: string, members: ReadonlyArray<string>): void
  present(room: string, members: ReadonlyArray<string>): void
  said(message: Message): void
  typing(room: string, name: string): void
  /** One sign of typing has faded. */
  idle(room: string, name: string): void
}

/** No rooms yet. */
export const make = (self: string): Conversations => {
  const rooms = new Map<string, Room>()
  let current = ""

  const get = (name: string): Room => {
    let room = rooms.get(name)
    if (room === undefined) rooms.set(name, (room = { lines: [], typing: new Map(), members: [], unread: 0 }))
    return room
  }
  const showRooms = (): void =>
    View.rooms.show(
      Array.from(rooms, ([name, { unread }]) => ({ name, unread, current: name === current })),
      show
    )
  const showTyping = (room: Room): void => View.showTyping([...room.typing.keys()])
  const show = (name: string): void => {
    const room = rooms.get(name)
    if (room === undefined) return
    current = name
    room.unread = 0
    showRooms()
    View.showLines(room.lines)
    View.showMembers(room.members, self)
    showTyping(room)
    View.composer.text.focus()
  }

  return {
    get current() {
      return current
    },
    get names() {
      return [...rooms.keys()]
    },
    show,
    entered(name, members) {
      get(name).members = members
      showRooms()
      if (name === current) View.showMembers(members, self)
    },
    present(name, members) {
      const room = rooms.get(name)
      if (room === undefined) return
      room.members = members
      if (name === current) View.showMembers(members, self)
    },
    said(message) {
      const room = get(message.room)
      room.lines.push(message)
      room.typing.delete(message.from)
      if (message.room === current) {
        View.addLine(room.lines)
        return showTyping(room)
      }
      room.unread++
      showRooms()
    },
    typing(name, from) {
      const room = get(name)
      room.typing.set(from, (room.typing.get(from) ?? 0) + 1)
      if (name === current) showTyping(room)
    },
    idle(name, from) {
      const room = get(name)
      const signs = room.typing.get(from) ?? 0
      if (signs <= 1) room.typing.delete(from)
      else room.typing.set(from, signs - 1)
      if (name === current) showTyping(room)
    }
  }
}
