/**
 * Which sockets are in which rooms: plain maps and sets, changed synchronously.
 *
 * Every socket is in the room named by its id. Most sockets are in no other, so that one is not stored: a room exists in the index
 * only once somebody else has joined it.
 */

/** What rooms keep at their members. */
export interface Member {
  readonly id: string
  /** The rooms; `undefined` stands for the own room only. */
  memberships: Set<string> | undefined
  /** The last selection that has seen this member. */
  mark: number
}

/** Told synchronously, after the change. */
export interface RoomListener {
  roomCreated(room: string): void
  roomDeleted(room: string): void
  roomJoined(room: string, id: string): void
  roomLeft(room: string, id: string): void
}

/** Whom to select: the union of `rooms`, or everybody when there are none; without those in `except`. */
export interface Selection {
  readonly rooms: ReadonlySet<string>
  readonly except: ReadonlySet<string>
}

const none: ReadonlySet<never> = new Set()

/** The rooms of one namespace. `members` are its sockets by id, kept by the namespace: added before `enter`, removed after `leaveAll`. */
export class Rooms<M extends Member> {
  readonly #index = new Map<string, Set<M>>()
  readonly #members: ReadonlyMap<string, M>
  readonly #listener: RoomListener
  #mark = 0

  constructor(members: ReadonlyMap<string, M>, listener: RoomListener) {
    this.#members = members
    this.#listener = listener
  }

  /** The new member joins the rooms it already names, and its own. */
  enter(member: M): void {
    const memberships = member.memberships
    member.memberships = undefined
    const own = this.#index.get(member.id)
    if (own === undefined) this.#listener.roomCreated(member.id)
    else own.add(member)
    this.#listener.roomJoined(member.id, member.id)
    if (memberships !== undefined) for (const room of memberships) this.join(member, room)
  }

  join(member: M, room: string): void {
    if (this.isIn(member, room)) return
    let set = this.#index.get(room)
    const owner = set === undefined ? this.#ownerOf(room) : undefined
    const created = set === undefined && owner === undefined
    if (set === undefined) {
      set = new Set()
      if (owner !== undefined) set.add(owner)
      this.#index.set(room, set)
    }
    set.add(member)
    member.memberships ??= new Set([member.id])
    member.memberships.add(room)
    if (created) this.#listener.roomCreated(room)
    this.#listener.roomJoined(room, member.id)
  }

  leave(member: M, room: string): void {
    if (!this.isIn(member, room)) return
    member.memberships ??= new Set([member.id])
    member.memberships.delete(room)
    this.#remove(member, room)
  }

  /** The member leaves every room, its own too. */
  leaveAll(member: M): void {
    const rooms = member.memberships ?? [member.id]
    member.memberships = new Set()
    for (const room of rooms) this.#remove(member, room)
  }

  isIn(member: M, room: string): boolean {
    return member.memberships === undefined ? room === member.id : member.memberships.has(room)
  }

  /** The rooms of a member, a snapshot. */
  of(member: M): ReadonlySet<string> {
    return new Set(member.memberships ?? [member.id])
  }

  /** How many members a room has. */
  size(room: string): number {
    return this.#index.get(room)?.size ?? (this.#ownerOf(room) === undefined ? 0 : 1)
  }

  /** The names of all rooms that exist. */
  names(): ReadonlySet<string> {
    const names = new Set(this.#index.keys())
    for (const member of this.#members.values()) if (this.isIn(member, member.id)) names.add(member.id)
    return names
  }

  /** The ids in a room, a snapshot. */
  ids(room: string): ReadonlySet<string> {
    const set = this.#index.get(room)
    if (set === undefined) return this.#ownerOf(room) === undefined ? none : new Set([room])
    return new Set(Array.from(set, (member) => member.id))
  }

  /**
   * Visits every selected member once. The visitor must not select again; members that it removes, or that it makes others remove, are
   * not visited. Use {@link list} before running code of the user.
   */
  select(selection: Selection, visit: (member: M) => void): void {
    const { rooms, except } = selection
    if (except.size === 0) {
      if (rooms.size === 0) {
        for (const member of this.#members.values()) visit(member)
        return
      }
      if (rooms.size === 1) {
        for (const room of rooms) this.#visitRoom(room, visit)
        return
      }
    }
    const mark = ++this.#mark
    const once = (member: M): void => {
      if (member.mark === mark) return
      member.mark = mark
      visit(member)
    }
    for (const room of except) this.#visitRoom(room, (member) => (member.mark = mark))
    if (rooms.size === 0) for (const member of this.#members.values()) once(member)
    else for (const room of rooms) this.#visitRoom(room, once)
  }

  /** The selected members, a snapshot. */
  list(selection: Selection): Array<M> {
    const members: Array<M> = []
    this.select(selection, (member) => members.push(member))
    return members
  }

  #visitRoom(room: string, visit: (member: M) => void): void {
    const set = this.#index.get(room)
    if (set !== undefined) for (const member of set) visit(member)
    else {
      const owner = this.#ownerOf(room)
      if (owner !== undefined) visit(owner)
    }
  }

  /** The socket whose own room this is, while it is in it. */
  #ownerOf(room: string): M | undefined {
    const member = this.#members.get(room)
    return member !== undefined && this.isIn(member, room) ? member : undefined
  }

  #remove(member: M, room: string): void {
    const set = this.#index.get(room)
    if (set !== undefined) {
      set.delete(member)
      if (set.size === 0) this.#index.delete(room)
    }
    this.#listener.roomLeft(room, member.id)
    if (set === undefined || set.size === 0) this.#listener.roomDeleted(room)
  }
}
