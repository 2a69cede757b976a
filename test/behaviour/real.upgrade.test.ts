import { run } from "../suites/RealHarness.ts"
import { suites } from "./Suites.ts"

for (const [name, cases] of suites) run("upgrade", name, cases)
