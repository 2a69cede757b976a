/** The cluster examples, each run as the one command that starts it, and used by official clients over several workers. */
import { assert, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { join } from "node:path"
import { io, type Socket } from "socket.io-client"
import { onTestFinished } from "vitest"
import { freePort } from "./ChatProcess.ts"

const root = join(import.meta.dirname, "../..")

/** A loaded machine takes its time to start several processes. */
const patience = 180_000

const until = async (what: string, condition: () => boolean): Promise<void> => {
  const end = Date.now() + patience - 10_000
  while (!condition()) {
    if (Date.now() > end) throw new Error(`waited for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}

interface Running {
  readonly url: string
  readonly output: () => string
  /** Ends it by a signal, and gives the exit code. */
  stop(signal: NodeJS.Signals): Promise<number | null>
}

const start = async (example: string, env: Readonly<Record<string, string>> = {}): Promise<Running> => {
  const port = await freePort()
  const child = spawn(process.execPath, ["--conditions=source", `examples/cluster/${example}`], {
    cwd: root,
    env: { ...process.env, PORT: String(port), ...env }
  })
  let output = ""
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()))
  const ended = new Promise<number | null>((resolve) => child.once("exit", (code) => resolve(code)))
  const stop = (signal: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal)
    return ended
  }
  onTestFinished(async () => {
    await stop("SIGKILL")
  })
  await until(`${example}: ${output}`, () => {
    if (child.exitCode !== null) throw new Error(`${example} ended: ${output}`)
    return output.includes("http://localhost:")
  })
  return { url: `http://localhost:${port}`, output: () => output, stop }
}

const open = (url: string, options: object): Socket => {
  const socket = io(url, { forceNew: true, reconnectionDelay: 50, reconnectionDelayMax: 500, ...options })
  onTestFinished(() => {
    socket.disconnect()
  })
  return socket
}

const ways = [["polling"], ["websocket"], ["polling", "websocket"]]

describe("the cluster examples", () => {
  it(
    "the chat on three workers: everybody hears everybody, a worker is killed, its clients come back and go on",
    async () => {
      const chat = await start("main.ts")
      // The first workers may have to load much longer than the primary.
      await until("the workers", () => [...chat.output().matchAll(/runs as process/g)].length === 3)
      const heard: Array<Array<string>> = []
      const sockets = Array.from({ length: 6 }, (_, n) => {
        const socket = open(`${chat.url}/chat`, { transports: ways[n % 3], auth: { username: `user ${n}` } })
        heard.push([])
        socket.on("message", ({ text }: { text: string }) => heard[n]!.push(text))
        // As the page does: whoever comes back enters the room again.
        socket.on("connect", () => socket.emit("join", "tea", () => {}))
        return socket
      })
      const speak = async (text: string): Promise<void> => {
        await until(`all hear "${text}"`, () => {
          for (const socket of sockets) if (socket.connected) return true
          return false
        })
        await Promise.all(
          sockets.map(async (socket, n) => {
            await socket.timeout(patience).emitWithAck("join", "tea")
            const { ok } = (await socket.timeout(patience).emitWithAck("message", "tea", `${text} ${n}`)) as {
              ok: boolean
            }
            assert.isTrue(ok)
          })
        )
      }
      const all = (text: string): ReadonlyArray<string> => sockets.map((_, n) => `${text} ${n}`)
      // Who enters while others speak may miss them: first everybody enters.
      await Promise.all(sockets.map((socket) => socket.timeout(patience).emitWithAck("join", "tea")))
      await speak("before")
      await until("all have heard all", () =>
        heard.every((texts) => all("before").every((text) => texts.includes(text)))
      )

      let lost = 0
      for (const socket of sockets) socket.on("disconnect", () => lost++)
      const victim = Number(/runs as process (\d+)/.exec(chat.output())![1])
      process.kill(victim, "SIGKILL")
      await until("its clients notice", () => lost === 2)
      await until("its clients are back", () => sockets.every((socket) => socket.connected))
      await until("another worker", () => [...chat.output().matchAll(/runs as process/g)].length === 4)
      await Promise.all(sockets.map((socket) => socket.timeout(patience).emitWithAck("join", "tea")))
      await speak("after")
      await until("all have heard all", () =>
        heard.every((texts) => all("after").every((text) => texts.includes(text)))
      )
      assert.strictEqual(lost, 2)
      assert.include(await (await fetch(`${chat.url}/`)).text(), "/app.js")

      const gone = Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once("disconnect", resolve))))
      for (const socket of sockets) socket.io.reconnection(false)
      await chat.stop("SIGTERM")
      await gone
      assert.notMatch(chat.output(), /\bat .*:\d+:\d+|Error/)
    },
    patience
  )

  it(
    "the plain server on all cores",
    async () => {
      const { url } = await start("plain.ts")
      const sockets = ways.map((transports) => open(url, { transports }))
      const heard = sockets.map(() => 0)
      for (const [n, socket] of sockets.entries()) {
        socket.on("message", () => {
          heard[n]!++
        })
      }
      await until("all are connected", () => sockets.every((socket) => socket.connected))
      // Workers hear of each other within a heartbeat; what is said before reaches whoever is known.
      await until("all hear", () => {
        sockets[0]!.emit("message", "hello")
        return heard.every((count) => count > 0)
      })
    },
    patience
  )
})
