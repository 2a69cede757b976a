/**
 * What becomes of an exception that a listener or callback of the program throws.
 */

/**
 * Throws the error from a microtask of its own: it is reported like every uncaught one (`uncaughtException` in Node, `error` of the
 * window), and the connection goes on undisturbed.
 */
export const rethrowLater = (error: unknown): void => {
  queueMicrotask(() => {
    throw error
  })
}

/** Calls a function of the program; what it throws is thrown later. */
export const callUser = (f: (...args: Array<never>) => unknown, self: unknown, args: ReadonlyArray<unknown>): void => {
  try {
    f.apply(self, args as Array<never>)
  } catch (error) {
    rethrowLater(error)
  }
}
