/** Debian's chromium and firefox-esr, headless: the one by CDP, the other by WebDriver BiDi. */
import { existsSync } from "node:fs"
import { type Browser, launch, type Page } from "puppeteer-core"

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
      launch({
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
    launch: () => launch({ browser: "firefox", executablePath: firefox, headless: true, acceptInsecureCerts: true })
  }
]

for (const { name, installed } of browsers) {
  if (!installed) console.log(`skipped: no ${name}. apt-get install chromium firefox-esr, or set CHROMIUM and FIREFOX`)
}

/** Opens a page and waits for its `io`. What is thrown on it and not caught is kept for `errorsOf`. */
export const load = async (browser: Browser, url: string): Promise<Page> => {
  const page = await browser.newPage()
  // Not the event of the protocol: Firefox has it for connections that fail, too.
  await page.evaluateOnNewDocument(() => {
    const errors: Array<string> = []
    Object.assign(globalThis, { errors })
    addEventListener("error", (event) => errors.push(event.message))
    addEventListener("unhandledrejection", (event) => errors.push(String(event.reason)))
  })
  await page.goto(url)
  await page.waitForFunction(() => typeof (globalThis as { io?: unknown }).io === "function", { timeout: 10_000 })
  return page
}

/** What was thrown on a page so far. */
export const errorsOf = (page: Page): Promise<ReadonlyArray<string>> =>
  page.evaluate(() => (globalThis as unknown as { readonly errors: ReadonlyArray<string> }).errors)
