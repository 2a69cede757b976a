/** Debian's chromium and firefox-esr, headless: the one by CDP, the other by WebDriver BiDi. */
import { existsSync } from "node:fs"
import puppeteer, { type Browser, type Page } from "puppeteer-core"

/** A browser that may be installed. */
export interface BrowserKind {
  readonly name: string
  readonly installed: boolean
  readonly launch: () => Promise<Browser>
}

const chromium = process.env["CHROMIUM"] || "/usr/bin/chromium"
const firefox = process.env["FIREFOX"] || "/usr/bin/firefox-esr"

/** Both; on a machine of somebody who has not installed one a line says so. */
export const browsers: ReadonlyArray<BrowserKind> = [
  {
    name: "chromium",
    installed: existsSync(chromium),
    launch: () =>
      puppeteer.launch({
        browser: "chrome",
        executablePath: chromium,
        headless: true,
        acceptInsecureCerts: true,
        args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
      })
  },
  {
    name: "firefox",
    installed: existsSync(firefox),
    launch: () =>
      puppeteer.launch({ browser: "firefox", executablePath: firefox, headless: true, acceptInsecureCerts: true })
  }
]

for (const { name, installed } of browsers) {
  if (!installed) console.log(`skipped: no ${name}. apt-get install chromium firefox-esr, or set CHROMIUM and FIREFOX`)
}

/** A page whose client has loaded, and what went wrong on it. */
export interface LoadedPage {
  readonly page: Page
  readonly errors: ReadonlyArray<string>
}

/** Opens a page and waits for its `io`. */
export const load = async (browser: Browser, url: string): Promise<LoadedPage> => {
  const page = await browser.newPage()
  const errors: Array<string> = []
  page.on("pageerror", (error) => errors.push(error instanceof Error ? error.message : String(error)))
  await page.goto(url)
  await page.waitForFunction(() => typeof (globalThis as { io?: unknown }).io === "function", { timeout: 10_000 })
  return { page, errors }
}
