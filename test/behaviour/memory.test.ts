import { run } from "../suites/MemoryHarness.ts"
import { suites } from "./Suites.ts"

for (const [name, cases] of suites) run(name, cases)
