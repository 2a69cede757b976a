/**
 * The subjects of NATS that namespaces and nodes have. Tokens of a subject may hold neither dots nor wildcards nor spaces, so names are
 * escaped, and two names never become one token.
 */

/** Longer tokens are refused: a server of NATS closes connections whose control lines exceed 4 KiB. */
export const maxTokenLength = 1024

const hex = (unit: number): string => unit.toString(16).padStart(4, "0")

/**
 * A name as one token: letters, digits, `_`, `-` and `/` stand for themselves, every other UTF-16 code unit is `=` and four hexadecimal
 * digits, and the empty name is `=`. Undefined where the token would be longer than `maxTokenLength`.
 */
export const token = (name: string): string | undefined => {
  if (name === "") return "="
  if (name.length > maxTokenLength) return undefined
  const escaped = name.replace(/[^A-Za-z0-9_/-]/g, (unit) => `=${hex(unit.charCodeAt(0))}`)
  return escaped.length > maxTokenLength ? undefined : escaped
}

/** Whether a text can begin subjects: tokens without wildcards, parted by single dots. */
export const isPrefix = (prefix: string): boolean => /^[^\s.*>]+(?:\.[^\s.*>]+)*$/.test(prefix) && prefix.length <= 256
