/** Chapter "客户端初始化": programs of pages, with the client of browsers and a stand-in for `location`. */
import { assert } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { createServer } from "node:https"
import { getCACertificates, setDefaultCACertificates } from "node:tls"
import { Server } from "effect-socketio/facade"
import * as facade from "effect-socketio/facade/client"
import { io as connect, type Socket } from "effect-socketio/facade/client"
import { connected, type Programs, type Scene } from "../Scene.ts"

/** The page that the program is on. */
const visit = (scene: Scene, url: string): void => {
  const { location } = globalThis
  Object.assign(globalThis, { location: new URL(url) })
  scene.defer(() => Object.assign(globalThis, { location }))
}

const fixture = (name: string): string =>
  readFileSync(new URL(`../../transport/fixtures/${name}.pem`, import.meta.url), "utf8")

/** Stand-in for `https://server-domain.com`, whose certificate the page trusts. */
const secureServer = async (scene: Scene): Promise<readonly [Server, string]> => {
  const cert = fixture("cert")
  const trusted = getCACertificates()
  setDefaultCACertificates([...trusted, cert])
  scene.defer(() => setDefaultCACertificates(trusted))
  const httpServer = createServer({ key: fixture("key"), cert })
  const io = new Server(httpServer)
  httpServer.listen(0)
  return [io, await scene.url(io, "https")]
}

const isLetIn = async (scene: Scene, io: Server, socket: Socket, nsp = "/"): Promise<void> => {
  await connected(scene.keep(socket))
  assert.isTrue(io.of(nsp).sockets.has(socket.id ?? ""))
}

export const page: Programs = {
  "client from npm": async () => {
    assert.isFunction(connect)
    assert.strictEqual(facade.io, connect)
    assert.strictEqual(facade.connect, connect)
  },

  "from the same domain": async (scene) => {
    const [io, url] = await scene.serve()
    visit(scene, `${url}/some/page.html`)
    const socket = connect()
    await isLetIn(scene, io, socket)
  },

  "from another domain": async (scene) => {
    const [io, url] = await secureServer(scene)
    visit(scene, "https://example.com")
    const socket = connect(url)
    await isLetIn(scene, io, socket)
  },

  "ways to write an address": async (scene) => {
    const [io, url] = await secureServer(scene)
    visit(scene, "https://example.com")
    {
      const socket = connect(url)
      await isLetIn(scene, io, socket)
    }
    {
      const socket = connect(url.replace("https", "wss"))
      await isLetIn(scene, io, socket)
    }
    {
      const socket = connect(url.replace("https://", ""))
      await isLetIn(scene, io, socket)
    }
  },

  "namespace in the address": async (scene) => {
    const [io, url] = await scene.serve()
    io.of("/admin")
    visit(scene, url)
    {
      const socket = connect("/admin")
      await isLetIn(scene, io, socket, "/admin")
    }
    {
      const socket = connect(`${url}/admin`, { forceNew: true })
      await isLetIn(scene, io, socket, "/admin")
    }
  }
}
