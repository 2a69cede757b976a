/**
 * A place in the log: which stream, and the sequence number in it. A stream that was deleted and made again has the same name and counts from 1
 * again, so the time of its making is part of every offset.
 */

/** A place in the log. */
export interface NatsOffset {
  /** When the stream was made, in milliseconds since 1970, base 36. */
  readonly epoch: string
  readonly sequence: number
}

/** The epoch of a stream, by the time that the server gives; undefined for what is no time. */
export const epochOf = (created: string): string | undefined => {
  const millis = Date.parse(created)
  return Number.isFinite(millis) && millis > 0 ? millis.toString(36) : undefined
}

/** The text that clients are given. */
export const format = ({ epoch, sequence }: NatsOffset): string => `${epoch}-${sequence}`

const pattern = /^([0-9a-z]{1,12})-(0|[1-9][0-9]{0,15})$/

/** Reads a text; undefined for what is no offset of a NATS log. */
export const parse = (text: string): NatsOffset | undefined => {
  const [, epoch, digits] = pattern.exec(text) ?? []
  const sequence = Number(digits)
  return epoch !== undefined && Number.isSafeInteger(sequence) ? { epoch, sequence } : undefined
}
