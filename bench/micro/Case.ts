/** One line of the micro-benchmark: the same work by the official package and by ours, each once for a call. */
export interface Case {
  readonly name: string
  readonly official: () => unknown
  readonly ours: () => unknown
}
