/** Medians and spreads. */

/** The value below which that share of the samples lies, interpolated; `NaN` without samples. */
export const quantile = (samples: ArrayLike<number>, share: number): number => {
  const sorted = Float64Array.from(samples).sort()
  const at = (sorted.length - 1) * share
  const low = Math.floor(at)
  const high = Math.ceil(at)
  return sorted[low]! + (sorted[high]! - sorted[low]!) * (at - low)
}

/** A median and the range of the samples. */
export interface Summary {
  readonly median: number
  readonly min: number
  readonly max: number
}

/** Undefined without samples. */
export const summary = (samples: ReadonlyArray<number>): Summary | undefined =>
  samples.length === 0
    ? undefined
    : { median: quantile(samples, 0.5), min: Math.min(...samples), max: Math.max(...samples) }

/**
 * Of `a` to `b`, round by round: the rounds of two servers follow each other closely, so what slows the machine for a while slows
 * both and leaves their ratio alone.
 */
export const ratio = (
  a: ReadonlyArray<number | undefined>,
  b: ReadonlyArray<number | undefined>
): Summary | undefined =>
  summary(
    a.flatMap((value, round) => {
      const base = b[round]
      return value === undefined || base === undefined || base === 0 ? [] : [value / base]
    })
  )
