/**
 * How often properties are tried. In CI always with the same values, so that a run says something about the change and not about its luck;
 * elsewhere with new ones each time. `npm run test:long` tries fifty times as many.
 */
const factor = process.env["MODE"] === "long" ? 50 : 1
const seed = process.env["CI"] === undefined || factor > 1 ? undefined : "effect-socketio"

/** Options of a property: so many runs, times what the mode asks for. */
export const property = (runs: number): { readonly runs: number; readonly seed: string | undefined } => ({
  runs: runs * factor,
  seed
})
