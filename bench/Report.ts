/** The tables: figures with their spread, ratios with their goals, and how busy both processes were. */
import type { Outcome, Series } from "./Run.ts"
import type { Baseline, Figure } from "./Scenario.ts"
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
}

/** Servers that are not ours. */
const foreign: ReadonlyArray<Baseline> = ["official", "ws", "ws-cork"]

/** What a server of ours is compared with. */
const baselinesOf = (server: string): ReadonlyArray<Baseline> => (server === "ours" ? foreign : [...foreign, "ours"])

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

const goalText = (figure: Figure, server: string, baseline: Baseline, ratio: Stats.Summary | undefined): string => {
  const goals = figure.goals[baseline]
  const goal = typeof goals === "object" ? goals[server] : goals
  if (goal === undefined) return ""
  const met = ratio === undefined ? "" : ratio.median <= goal ? " ✓" : " ✗"
  return `, goal ${goal.toFixed(2)}${met}`
}

const ours = (outcomes: ReadonlyArray<Outcome>, server: string): string =>
  table(
    [server, ...baselinesOf(server).map((baseline) => `against ${baseline}`)],
    outcomes.flatMap((outcome) =>
      outcome.scenario.figures.map((figure) => [
        figure.title,
        ...baselinesOf(server).map((baseline) => {
          const ratio = Stats.ratio(
            values(seriesOf(outcome, server), figure.key),
            values(seriesOf(outcome, baseline), figure.key)
          )
          return ratioText(ratio) + goalText(figure, server, baseline, ratio)
        })
      ])
    )
  )

const floors = (outcomes: ReadonlyArray<Outcome>): string =>
  table(
    ["for comparison", "ws against official", "ws-cork against official"],
    outcomes.flatMap((outcome) =>
      outcome.scenario.figures.map((figure) => [
        figure.title,
        ...["ws", "ws-cork"].map((server) =>
          ratioText(
            Stats.ratio(
              values(seriesOf(outcome, server), figure.key),
              values(seriesOf(outcome, "official"), figure.key)
            )
          )
        )
      ])
    )
  )

const percent = (samples: ReadonlyArray<number>) => {
  const summary = Stats.summary(samples)
  return summary === undefined ? "–" : `${Math.round(summary.median * 100)} %`
}

const loads = (outcomes: ReadonlyArray<Outcome>, servers: ReadonlyArray<string>): string =>
  table(
    ["server busy / generator busy / operations a second", ...servers],
    outcomes.map((outcome) => [
      outcome.scenario.name,
      ...servers.map((server) => {
        const samples = seriesOf(outcome, server)?.samples ?? []
        if (samples.length === 0) return "–"
        const rate = Stats.summary(samples.map(({ load }) => (load.operations / load.elapsed) * 1000))!
        return `${percent(samples.map((sample) => sample.busy))} / ${percent(
          samples.map(({ load }) => load.cpu / 1000 / load.elapsed)
        )} / ${number(rate.median)}`
      })
    ])
  )

const failures = (outcomes: ReadonlyArray<Outcome>): ReadonlyArray<string> =>
  outcomes.flatMap((outcome) =>
    outcome.series.flatMap(({ server, error }) =>
      error === undefined ? [] : [`FAILED: ${outcome.scenario.name} on ${server}: ${error}`]
    )
  )

/** Markdown, aligned so that it reads as text. */
export const markdown = (outcomes: ReadonlyArray<Outcome>, machine: Machine): string => {
  const measured = new Set(outcomes.flatMap((outcome) => outcome.series.map((series) => series.server)))
  const servers = [...measured]
  const contenders = servers.filter((server) => !foreign.some((baseline) => baseline === server))
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`)
  return [
    `${machine.date} · ${machine.cpu}, ${machine.cores} cores · load average ${machine.load.toFixed(2)} at the start · ${machine.pinned}`,
    versions.join(", "),
    `\`${machine.command}\``,
    "",
    "Ratios (below 1 is better), median and range over interleaved rounds:",
    "",
    ...(contenders.length === 0 ? ["Our own server was not part of this run.", ""] : []),
    ...contenders.flatMap((server) => [ours(outcomes, server), ""]),
    floors(outcomes),
    "",
    "Figures, median and range:",
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
      scenarios: outcomes.map(({ scenario, series }) => ({
        name: scenario.name,
        about: scenario.about,
        figures: scenario.figures.map((figure) => ({
          key: figure.key,
          title: figure.title,
          unit: figure.unit,
          goals: figure.goals,
          medians: Object.fromEntries(
            series.map((one) => [one.server, Stats.summary(defined(values(one, figure.key)))])
          ),
          ratios: Object.fromEntries(
            series.map((one) => [
              one.server,
              Object.fromEntries(
                series
                  .filter((base) => base !== one && baselinesOf(one.server).some((name) => name === base.server))
                  .map((base) => [base.server, Stats.ratio(values(one, figure.key), values(base, figure.key))])
              )
            ])
          )
        })),
        series
      }))
    },
    undefined,
    2
  )
