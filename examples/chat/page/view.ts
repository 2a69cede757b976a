/** The page as seen: what is in the DOM, and nothing of where it comes from. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** One line of the conversation. */
export interface Line {
  readonly from: string
  readonly text: string
  readonly at: number
}

const element = <T extends HTMLElement = HTMLElement>(id: string): T => {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`the page has no #${id}`)
  return found as T
}

const make = (tag: string, text = "", className = ""): HTMLElement => {
  const made = document.createElement(tag)
  made.textContent = text
  if (className !== "") made.className = className
  return made
}

const hue = (name: string): number => [...name].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)!) % 360, 7)
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" })

/** Listens to an element until the scope closes. Forms are never submitted to a server. */
export const listen = <K extends keyof HTMLElementEventMap>(
  target: HTMLElement,
  type: K,
  listener: (event: HTMLElementEventMap[K]) => void
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.asVoid(
    Effect.acquireRelease(
      Effect.sync(() => {
        const controller = new AbortController()
        const handle = (event: HTMLElementEventMap[K]): void => {
          if (type === "submit") event.preventDefault()
          listener(event)
        }
        target.addEventListener(type, handle, { signal: controller.signal })
        return controller
      }),
      (controller) => Effect.sync(() => controller.abort())
    )
  )

const enter = element<HTMLFormElement>("enter")
const username = element<HTMLInputElement>("username")

export const entrance = {
  /** The name that somebody wants to enter with. */
  submitted: Effect.callback<string>((resume) => {
    const controller = new AbortController()
    enter.addEventListener(
      "submit",
      (event) => {
        event.preventDefault()
        resume(Effect.succeed(username.value.trim()))
      },
      { once: true, signal: controller.signal }
    )
    return Effect.sync(() => controller.abort())
  }),
  refuse(message: string) {
    element("refusal").textContent = message
  }
}

/** A room as the list shows it. */
export interface RoomItem {
  readonly name: string
  readonly unread: number
  readonly current: boolean
}

export const rooms = {
  form: element<HTMLFormElement>("add-room"),
  input: element<HTMLInputElement>("room"),
  show(items: ReadonlyArray<RoomItem>, choose: (room: string) => void): void {
    const buttons = items.map(({ name, unread, current }) => {
      const button = make("button", `# ${name}`)
      button.setAttribute("type", "button")
      button.setAttribute("aria-current", String(current))
      if (unread > 0) button.append(make("b", String(unread)))
      button.addEventListener("click", () => choose(name))
      if (current) element("room-name").textContent = `# ${name}`
      return button
    })
    element("rooms").replaceChildren(...buttons)
  }
}

export const composer = {
  form: element<HTMLFormElement>("say"),
  text: element<HTMLTextAreaElement>("text"),
  fit(): void {
    const { text } = composer
    text.style.height = "auto"
    text.style.height = `${text.scrollHeight + 2}px`
  }
}

export const quit = element<HTMLButtonElement>("quit")

/** Shows the entrance or the chat. */
export const enterAs = (name: string | undefined): void => {
  element("entrance").hidden = name !== undefined
  element("chat").hidden = name === undefined
  element("me").textContent = name ?? ""
  if (name === undefined) username.focus()
  else composer.text.focus()
}

/** Shows how the connection is; `kind` picks the colour. */
export const showState = (kind: "connected" | "connecting" | "lost", text: string): void => {
  const state = element("state")
  state.dataset["state"] = kind
  state.lastElementChild!.textContent = text
}

export const showMembers = (members: ReadonlyArray<string>, self: string): void => {
  const items = [...members]
    .sort((a, b) => a.localeCompare(b))
    .map((name) => {
      const item = make("li", "", name === self ? "self" : "")
      item.append(make("i"), make("span", name))
      return item
    })
  element("members").replaceChildren(...items)
  element("count").textContent = String(members.length)
}

export const showTyping = (names: ReadonlyArray<string>): void => {
  const verb = names.length === 1 ? "is" : "are"
  element("typing").textContent = names.length === 0 ? "" : `${names.join(", ")} ${verb} typing…`
}

const lineItem = (line: Line, previous: Line | undefined): HTMLElement => {
  const item = make("li")
  const together = previous !== undefined && previous.from === line.from && line.at - previous.at < 5 * 60_000
  const avatar = make("span", "", together ? "" : "avatar")
  const body = make("div")
  if (!together) {
    item.className = "first"
    avatar.textContent = ([...line.from][0] ?? "?").toUpperCase()
    avatar.style.background = `hsl(${hue(line.from)} 52% 46%)`
    const by = make("div", "", "by")
    by.append(make("span", line.from), make("time", clock.format(line.at)))
    body.append(by)
  }
  body.append(make("p", line.text))
  item.append(avatar, body)
  return item
}

/** Shows a conversation from its beginning. */
export const showLines = (lines: ReadonlyArray<Line>): void => {
  const list = element("messages")
  if (lines.length === 0) list.replaceChildren(make("li", "Nothing said here yet. Be the first.", "empty"))
  else list.replaceChildren(...lines.map((line, index) => lineItem(line, lines[index - 1])))
  list.scrollTop = list.scrollHeight
}

/** Adds the last line of a conversation that is shown. */
export const addLine = (lines: ReadonlyArray<Line>): void => {
  const list = element("messages")
  list.querySelector(".empty")?.remove()
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 80
  list.append(lineItem(lines[lines.length - 1]!, lines[lines.length - 2]))
  if (atEnd) list.scrollTop = list.scrollHeight
}

/** Adds a remark of the page itself. */
export const addNote = (text: string): void => {
  const list = element("messages")
  list.querySelector(".empty")?.remove()
  list.append(make("li", text, "note"))
  list.scrollTop = list.scrollHeight
}
