/** Chapter "服务器初始化": under frameworks. */
import { assert } from "@effect/vitest"
import { createRequire } from "node:module"
import { createServer } from "node:http"
import express from "express"
import Koa from "koa"
import { Server } from "effect-socketio/facade"
import type { Programs } from "../Scene.ts"
import { reached } from "./Servers.ts"

const require = createRequire(import.meta.url)

export const frameworks: Programs = {
  Express: async (scene) => {
    const { console } = scene
    const app = express()
    const httpServer = createServer(app)
    const io = new Server(httpServer, {})
    io.on("connection", (socket) => {
      console.log(socket.id)
    })
    httpServer.listen(0)
    app.get("/page", (_, response) => void response.send("from Express"))
    const url = await scene.url(io)
    await reached(scene, url)
    assert.strictEqual(await (await fetch(`${url}/page`)).text(), "from Express")
  },

  "Express as TypeScript compiles it to CommonJS": async (scene) => {
    const { console } = scene
    const application: typeof express = require("express")
    const app = application()
    const httpServer = createServer(app)
    const io = new Server(httpServer, {})
    io.on("connection", (socket) => {
      console.log(socket.id)
    })
    httpServer.listen(0)
    app.get("/page", (_, response) => void response.send("from Express"))
    const url = await scene.url(io)
    await reached(scene, url)
    assert.strictEqual(await (await fetch(`${url}/page`)).text(), "from Express")
  },

  Koa: async (scene) => {
    const { console } = scene
    const app = new Koa()
    app.use((context) => {
      context.body = "from Koa"
    })
    const httpServer = createServer(app.callback())
    const io = new Server(httpServer, {})
    io.on("connection", (socket) => {
      console.log(socket.id)
    })
    httpServer.listen(0)
    const url = await scene.url(io)
    await reached(scene, url)
    assert.strictEqual(await (await fetch(`${url}/page`)).text(), "from Koa")
  },

  "Koa as TypeScript compiles it to CommonJS": async (scene) => {
    const { console } = scene
    // Koa 3's CommonJS module is the class, as `import * as Koa` had it.
    const Application: typeof Koa = require("koa")
    const app = new Application()
    app.use((context) => {
      context.body = "from Koa"
    })
    const httpServer = createServer(app.callback())
    const io = new Server(httpServer, {})
    io.on("connection", (socket) => {
      console.log(socket.id)
    })
    httpServer.listen(0)
    const url = await scene.url(io)
    await reached(scene, url)
    assert.strictEqual(await (await fetch(`${url}/page`)).text(), "from Koa")
  }
}
