/** The tables: figures with their spread, ratios with their goals, and how busy both processes were. */
import type { Outcome, Series } from "./Run.ts"
import type { Baseline, Figure, Goal } from "./Scenario.ts"
import * as Stats from "./Stats.ts"

/** What else a reader needs to judge the numbers. */
export interface Machine {
  readonly date: string
  readonly cpu: string
  readonly cores: number
  readonly load: number
  readonly pinned: string
  readonly versions: { readonly [name: string]: string }
  readonly command: string
  /** How long the run took. */
  readonly seconds: number
  /** What was not measured, and why. */
  readonly notes: ReadonlyArray<string>
}

/** Our columns of the table of goals, by the server's name. */
const contenders = { ours: "Effect API", "facade-lean": "facade, request dropped" } as const

/** What is compared with a goal or without one, in this order. */
const baselines: ReadonlyArray<Baseline> = ["official", "ws", "ws-cork", "ours-untyped"]

const number = (value: number): string =>
  Math.abs(value) >= 1000
    ? Math.round(value).toLocaleString("en-US")
    : Math.abs(value) >= 100
      ? value.toFixed(0)
      : value.toFixed(value >= 10 ? 1 : 2)

const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)))
  const line = (row: ReadonlyArray<string>) =>
    `| ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))).join(" | ")} |`
  const rule = `| ${widths.map((width, column) => (column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`)).join(" | ")} |`
  return [line(head), rule, ...rows.map(line)].join("\n")
}

const values = (series: Series | undefined, key: string) => series?.samples.map((sample) => sample.figures[key]) ?? []

const defined = (samples: ReadonlyArray<number | undefined>) => samples.filter((sample) => sample !== undefined)

const withSpread = (summary: Stats.Summary | undefined): string =>
  summary === undefined ? "–" : `${number(summary.median)} (${number(summary.min)}–${number(summary.max)})`

const ratioText = (ratio: Stats.Summary | undefined): string =>
  ratio === undefined ? "–" : `${ratio.median.toFixed(2)} (${ratio.min.toFixed(2)}–${ratio.max.toFixed(2)})`

const seriesOf = (outcome: Outcome, server: string) => outcome.series.find((series) => series.server === server)

const absolutes = (outcomes: ReadonlyArray<Outcome>, servers: ReadonlyArray<string>): string =>
  table(
    ["scenario", "unit", ...servers],
    outcomes.flatMap((outcome) =>
      outcome.scenario.figures.map((figure) => [
        figure.title,
        figure.unit,
        ...servers.map((server) => withSpread(Stats.summary(defined(values(seriesOf(outcome, server), figure.key)))))
      ])
    )
  )

const ratioOf = (outcome: Outcome, figure: Figure, server: string, baseline: string) =>
  Stats.ratio(values(seriesOf(outcome, server), figure.key), values(seriesOf(outcome, baseline), figure.key))

const summaryOf = (outcome: Outcome, figure: Figure, server: string) =>
  Stats.summary(defined(values(seriesOf(outcome, server), figure.key)))

const less = (figure: Figure): boolean => figure.better !== "more"

const goalText = (figure: Figure, goal: Goal): string =>
  goal === "spread" ? "within its spread" : `${less(figure) ? "<=" : ">="} ${goal.toFixed(2)}`

/** Whether the goal is met, and by how much not. `undefined` where one of the two was not measured. */
export const verdict = (
  outcome: Outcome,
  figure: Figure,
  server: string,
  baseline: Baseline
): { readonly met: boolean; readonly text: string } | undefined => {
  const goal = figure.goals[baseline]
  const ratio = ratioOf(outcome, figure, server, baseline)
  if (goal === undefined || ratio === undefined) return undefined
  if (goal === "spread") {
    const [mine, theirs] = [summaryOf(outcome, figure, server)!, summaryOf(outcome, figure, baseline)!]
    const bound = less(figure) ? theirs.max : theirs.min
    const met = less(figure) ? mine.median <= bound : mine.median >= bound
    return { met, text: met ? "met" : `missed: ${number(mine.median)} against at most ${number(bound)} ${figure.unit}` }
  }
  const over = less(figure) ? ratio.median / goal - 1 : 1 - ratio.median / goal
  return { met: over <= 0, text: over <= 0 ? "met" : `missed by ${(over * 100).toFixed(over < 0.01 ? 1 : 0)} %` }
}

const goalRows = (outcome: Outcome, figure: Figure): ReadonlyArray<ReadonlyArray<string>> =>
  baselines.flatMap((baseline) => {
    const goal = figure.goals[baseline]
    const cells = Object.keys(contenders).map((server) => {
      const ratio = ratioOf(outcome, figure, server, baseline)
      if (ratio === undefined) return "–"
      const judged = verdict(outcome, figure, server, baseline)
      return judged === undefined ? ratioText(ratio) : `${ratioText(ratio)} ${judged.text}`
    })
    if (goal === undefined && cells.every((cell) => cell === "–")) return []
    return [[figure.title, baseline, goal === undefined ? "–" : goalText(figure, goal), ...cells]]
  })

const goalTable = (outcomes: ReadonlyArray<Outcome>): string =>
  table(
    ["row", "against", "goal", ...Object.values(contenders)],
    outcomes.flatMap((outcome) => outcome.scenario.figures.flatMap((figure) => goalRows(outcome, figure)))
  )

/** Other comparisons: without goals of their own, but the first one that the facade costs little more than what is under it. */
const comparisons: ReadonlyArray<readonly [title: string, server: string, baseline: string]> = [
  ["facade, request dropped, against Effect API", "facade-lean", "ours"],
  ["facade, request kept, against official", "facade", "official"],
  ["ws against official", "ws", "official"],
  ["ws-cork against official", "ws-cork", "official"],
  ["uws against official", "uws", "official"]
]

const comparisonTable = (outcomes: ReadonlyArray<Outcome>): string =>
  table(
    ["for comparison", ...comparisons.map(([title]) => title)],
    outcomes.flatMap((outcome) =>
      outcome.scenario.figures.map((figure) => [
        figure.title,
        ...comparisons.map(([, server, baseline]) => ratioText(ratioOf(outcome, figure, server, baseline)))
      ])
    )
  )

const percent = (samples: ReadonlyArray<number>) => {
  const summary = Stats.summary(samples)
  return summary === undefined ? "–" : `${Math.round(summary.median * 100)} %`
}

/** From here on a process is taken for the one that the others wait for. */
const saturated = 0.95

const loads = (outcomes: ReadonlyArray<Outcome>, servers: ReadonlyArray<string>): string =>
  table(
    ["measured process busy / generator busy / operations a second", ...servers],
    outcomes.map((outcome) => [
      outcome.scenario.name,
      ...servers.map((server) => {
        const samples = seriesOf(outcome, server)?.samples ?? []
        if (samples.length === 0) return "–"
        const rate = Stats.summary(samples.map(({ load }) => (load.operations / load.elapsed) * 1000))!
        const generator = samples.map(({ load }) => load.cpu / 1000 / load.elapsed)
        const bound = Stats.summary(generator)!.median >= saturated ? " (generator is the limit)" : ""
        return `${percent(samples.map((sample) => sample.busy))} / ${percent(generator)} / ${number(rate.median)}${bound}`
      })
    ])
  )

const failures = (outcomes: ReadonlyArray<Outcome>): ReadonlyArray<string> =>
  outcomes.flatMap((outcome) =>
    outcome.series.flatMap(({ server, error }) =>
      error === undefined ? [] : [`FAILED: ${outcome.scenario.name} on ${server}: ${error}`]
    )
  )

const tally = (outcomes: ReadonlyArray<Outcome>): string => {
  const verdicts = outcomes.flatMap((outcome) =>
    outcome.scenario.figures.flatMap((figure) =>
      Object.keys(contenders).flatMap((server) =>
        baselines.flatMap((baseline) => verdict(outcome, figure, server, baseline) ?? [])
      )
    )
  )
  return `${verdicts.filter(({ met }) => met).length} of ${verdicts.length} goals met.`
}

/** Markdown, aligned so that it reads as text. */
export const markdown = (outcomes: ReadonlyArray<Outcome>, machine: Machine): string => {
  const servers = [...new Set(outcomes.flatMap((outcome) => outcome.series.map((series) => series.server)))]
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`)
  return [
    `${machine.date} · ${machine.cpu}, ${machine.cores} cores · load average ${machine.load.toFixed(2)} at the start · ${machine.pinned}`,
    versions.join(", "),
    `\`${machine.command}\` · ${Math.round(machine.seconds)} s`,
    ...machine.notes,
    "",
    `Ratios, median and range over interleaved rounds, beside the goals of issue 4. ${tally(outcomes)}`,
    "",
    goalTable(outcomes),
    "",
    comparisonTable(outcomes),
    "",
    "Figures, median and range; CPU is that of the measured process (a server; for the rows of clients, the client):",
    "",
    absolutes(outcomes, servers),
    "",
    loads(outcomes, servers),
    "",
    ...failures(outcomes),
    ...outcomes.map(({ scenario }) => `- ${scenario.name}: ${scenario.about}`)
  ].join("\n")
}

/** Everything, each sample included, as one JSON value. */
export const json = (outcomes: ReadonlyArray<Outcome>, machine: Machine): string =>
  JSON.stringify(
    {
      machine,
      scenarios: outcomes.map((outcome) => ({
        name: outcome.scenario.name,
        about: outcome.scenario.about,
        figures: outcome.scenario.figures.map((figure) => ({
          key: figure.key,
          title: figure.title,
          unit: figure.unit,
          better: figure.better ?? "less",
          goals: figure.goals,
          medians: Object.fromEntries(outcome.series.map(({ server }) => [server, summaryOf(outcome, figure, server)])),
          ratios: Object.fromEntries(
            Object.keys(contenders).map((server) => [
              server,
              Object.fromEntries(
                baselines.map((baseline) => [
                  baseline,
                  { ratio: ratioOf(outcome, figure, server, baseline), ...verdict(outcome, figure, server, baseline) }
                ])
              )
            ])
          )
        })),
        series: outcome.series
      }))
    },
    undefined,
    2
  )
