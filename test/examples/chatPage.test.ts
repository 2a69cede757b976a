/** The chat's page in a real browser: two people, one of them through a restart of the server. */
import { assert, describe, it } from "@effect/vitest"
import { existsSync } from "node:fs"
import { type Browser, chromium, type Page } from "playwright-core"
import * as Chat from "./ChatProcess.ts"

const executablePath = process.env["CHROMIUM"] || "/usr/bin/chromium"
const installed = existsSync(executablePath)
if (!installed)
  console.log("skipped: no chromium for the chat's page. apt-get install chromium, or set CHROMIUM to its path")

const launch = (): Promise<Browser> =>
  chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
  })

const errors: Array<string> = []

const enter = async (browser: Browser, url: string, name: string): Promise<Page> => {
  const page = await browser.newPage()
  page.on("pageerror", (error) => errors.push(error.message))
  await page.goto(url)
  await page.fill("#username", name)
  await page.press("#username", "Enter")
  await page.waitForSelector("#chat:not([hidden])")
  return page
}

const say = async (page: Page, text: string): Promise<void> => {
  await page.fill("#text", text)
  await page.press("#text", "Enter")
}

const hears = (page: Page, text: string) => page.locator("#messages p", { hasText: text }).waitFor()
const sees = (page: Page, members: number) =>
  page.waitForFunction((count) => document.querySelectorAll("#members li").length === count, members)
const isIn = (page: Page, state: string) => page.waitForSelector(`#state[data-state="${state}"]`)

describe.runIf(installed)("the chat's page in a browser", () => {
  it("two people talk, one is refused, and both are back after the server restarted", { timeout: 60_000 }, async () => {
    const port = await Chat.freePort()
    let chat = await Chat.start(port)
    const browser = await launch()
    try {
      const ann = await enter(browser, chat.url, "ann")
      const bob = await enter(browser, chat.url, "bob")
      await sees(ann, 2)
      await say(ann, "hello <b>bob</b>")
      await hears(bob, "hello <b>bob</b>")
      assert.strictEqual(await bob.locator("#messages b").count(), 0)

      await bob.fill("#text", "I am ty")
      await ann.locator("#typing", { hasText: "bob is typing" }).waitFor()
      await say(bob, "I am typing")
      await hears(ann, "I am typing")

      await ann.fill("#room", "cats")
      await ann.press("#room", "Enter")
      await ann.locator("#room-name", { hasText: "cats" }).waitFor()
      await say(bob, "still in the lobby")
      await ann.locator("#rooms b", { hasText: "1" }).waitFor()
      await ann.getByRole("button", { name: "# lobby" }).click()
      await hears(ann, "still in the lobby")

      await chat.stop("SIGTERM")
      await isIn(ann, "lost")
      chat = await Chat.start(port)
      await isIn(ann, "connected")
      await isIn(bob, "connected")
      await sees(ann, 2)
      await say(bob, "back again")
      await hears(ann, "back again")

      await bob.click("#quit")
      await bob.waitForSelector("#entrance:not([hidden])")
      await sees(ann, 1)

      const eve = await browser.newPage()
      await eve.goto(chat.url)
      await eve.fill("#username", "x".repeat(30))
      await eve.press("#username", "Enter")
      await eve.locator("#refusal", { hasText: "invalid username" }).waitFor()
      assert.deepStrictEqual(errors, [])
    } finally {
      await browser.close()
      await chat.stop("SIGKILL")
    }
  })
})
