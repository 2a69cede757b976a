/** The page's program: the client of the chat's contract, and what its events do to the page. */
import * as SocketClient from "effect-socketio/client"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { Chat } from "../contract.ts"
import * as Conversations from "./conversations.ts"
import * as View from "./view.ts"

type ChatSocket = SocketClient.Socket<typeof Chat>

/** The room that everybody is in from the start. */
const lobby = "lobby"
/** One tells the others at most this often that one types, and is seen typing for twice as long. */
const typingEvery = 1500

const shown = (state: SocketClient.ConnectionState): void => {
  switch (state._tag) {
    case "Connected":
      return View.showState("connected", "connected")
    case "Connecting":
      return View.showState("connecting", "connecting…")
    case "Waiting":
      return View.showState("lost", `offline, next try in ${Math.ceil(state.delay / 1000)} s`)
    case "Disconnected":
      return View.showState("lost", `disconnected: ${state.reason}`)
    default:
      return View.showState("lost", "disconnected")
  }
}

/** What a person does on the page, as Effects of one stay. */
const actions = (chat: ChatSocket, rooms: Conversations.Conversations) => {
  const join = (room: string) =>
    chat.emitWithAck("join", room).pipe(
      Effect.map(({ members }) => rooms.entered(room, members)),
      Effect.catch((error) => Effect.sync(() => View.addNote(`could not join “${room}”: ${error.message}`)))
    )
  // A message that finds no connection waits for the next one; the deadline tells when it did not come in time.
  const send = (room: string, text: string) =>
    chat
      .timeout("10 seconds")
      .emitWithAck("message", room, text)
      .pipe(Effect.catch((error) => Effect.sync(() => View.addNote(`not sent (${error.message}): ${text}`))))
  const typing = (room: string) => Effect.ignore(chat.volatile.emit("typing", room))
  return { join, send, typing }
}

/** Connects the page's controls; they are let go of when the stay ends. */
const controls = (
  rooms: Conversations.Conversations,
  { join, send, typing }: ReturnType<typeof actions>,
  left: Deferred.Deferred<void>
) =>
  Effect.gen(function* () {
    const fork = Effect.runForkWith(yield* Effect.context<never>())
    let lastTyping = 0
    const say = (): void => {
      const text = View.composer.text.value.trim()
      if (text === "") return
      View.composer.text.value = ""
      View.composer.fit()
      lastTyping = 0
      fork(send(rooms.current, text))
    }
    yield* View.listen(View.composer.form, "submit", say)
    yield* View.listen(View.composer.text, "keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return
      event.preventDefault()
      say()
    })
    yield* View.listen(View.composer.text, "input", () => {
      View.composer.fit()
      if (Date.now() - lastTyping < typingEvery || View.composer.text.value === "") return
      lastTyping = Date.now()
      fork(typing(rooms.current))
    })
    yield* View.listen(View.rooms.form, "submit", () => {
      const room = View.rooms.input.value.trim()
      if (room === "") return
      View.rooms.input.value = ""
      fork(
        Effect.andThen(
          join(room),
          Effect.sync(() => rooms.show(room))
        )
      )
    })
    yield* View.listen(View.quit, "click", () => {
      Deferred.doneUnsafe(left, Effect.void)
    })
  })

/** One stay, from entering to leaving. Fails when the server does not let one in. */
const stay = (username: string) =>
  Effect.gen(function* () {
    const left = yield* Deferred.make<void>()
    const chat = yield* SocketClient.connect(Chat, { auth: { username }, autoConnect: false })
    const rooms = Conversations.make(username)
    const { join, send, typing } = actions(chat, rooms)

    yield* chat.on("message", (message) => Effect.sync(() => rooms.said(message)))
    yield* chat.on("presence", ({ room, members }) => Effect.sync(() => rooms.present(room, members)))
    yield* SocketClient.events(chat, "typing").pipe(
      Stream.flatMap(
        ([{ room, from }]) =>
          Stream.fromEffect(Effect.sync(() => rooms.typing(room, from))).pipe(
            Stream.concat(
              Stream.fromEffect(
                Effect.delay(
                  Effect.sync(() => rooms.idle(room, from)),
                  typingEvery * 2
                )
              )
            )
          ),
        { concurrency: "unbounded" }
      ),
      Stream.runDrain,
      Effect.forkScoped
    )
    yield* chat.connect

    View.enterAs(username)
    yield* Effect.addFinalizer(() => Effect.sync(() => View.enterAs(undefined)))
    yield* controls(rooms, { join, send, typing }, left)
    yield* join(lobby)
    rooms.show(lobby)
    yield* SocketClient.states(chat).pipe(
      Stream.tap((state) => Effect.sync(() => shown(state))),
      // The server knows nothing of rooms that were joined over an earlier connection.
      Stream.filter((state) => state._tag === "Connected"),
      Stream.runForEach(() => Effect.forEach(rooms.names, join, { discard: true })),
      Effect.forkScoped
    )
    yield* Deferred.await(left)
  }).pipe(Effect.scoped)

/** Lets people in, one stay after the other. */
const program = Effect.gen(function* () {
  View.enterAs(undefined)
  for (;;) {
    const username = yield* View.entrance.submitted
    View.entrance.refuse("")
    yield* stay(username).pipe(Effect.catch((error) => Effect.sync(() => View.entrance.refuse(error.message))))
  }
})

Effect.runFork(program)
