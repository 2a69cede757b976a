/**
 * Explains the answer 400 "Session ID unknown" to those who run the server, when it is given in number: mostly several servers share an
 * address, and nothing keeps the requests of a session together.
 */

/** So many such requests within a minute are told, at most once an hour. */
export const threshold = 10
const minute = 60_000
const hour = 60 * minute

/** Ids as servers make them: whoever only guesses does not count. */
const isId = (sid: string): boolean => /^[\w-]{20}$/.test(sid)

/** What is told. */
export const explanation =
  `${threshold} requests within a minute named sessions that this server does not have; they were refused (400 "Session ID unknown"). ` +
  "If several servers share this address, all requests of a session must reach the server that began it: see docs/scaling.md. " +
  "Just after a restart this is normal: clients of the process before begin anew."

/** Takes notice of each unknown session; `now` is a clock in milliseconds. */
export const makeObserver = (now: () => number, tell: (message: string) => void): ((sid: string) => void) => {
  let since = Number.NEGATIVE_INFINITY
  let told = Number.NEGATIVE_INFINITY
  let count = 0
  return (sid) => {
    if (!isId(sid)) return
    const time = now()
    if (time - since > minute) {
      since = time
      count = 0
    }
    count++
    if (count < threshold || time - told < hour) return
    told = time
    tell(explanation)
  }
}
