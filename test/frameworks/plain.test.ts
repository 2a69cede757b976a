/** Frameworks that need nothing but their greeting. */
import { fetchGreeting, suite } from "./Suite.ts"

suite({ name: "node:http", file: "examples/http/main.ts", greeting: fetchGreeting })
suite({ name: "Koa", file: "examples/koa/main.ts", greeting: fetchGreeting })
suite({ name: "Hono", file: "examples/hono/main.ts", greeting: fetchGreeting })
