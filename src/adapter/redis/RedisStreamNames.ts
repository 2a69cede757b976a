/**
 * Which stream a namespace is written to, and which streams are read.
 *
 * Official nodes take a signed hash modulo the number of streams: a namespace with a negative remainder is written to `<name>--<n>`, which none of
 * them reads, and all its messages are lost. We write such a namespace to `<name>-<n>`, which official nodes do read, and read `<name>--<n>`
 * beside it, so that nothing of theirs is lost here.
 */
import type { RedisStreamsSettings } from "./RedisStreamsOptions.ts"

/** The hash of official nodes: 32 bits, signed. */
export const hash = (namespace: string): number => {
  let value = 0
  for (let i = 0; i < namespace.length; i++) value = (value * 31 + namespace.charCodeAt(i)) | 0
  return value
}

type Naming = Pick<RedisStreamsSettings, "streamName" | "streamCount">

/** The stream that a namespace is written to. */
export const streamOf = (namespace: string, { streamName, streamCount }: Naming): string =>
  streamCount === 1 ? streamName : `${streamName}-${Math.abs(hash(namespace) % streamCount)}`

/** The stream that official nodes write a namespace to, where it is another one: they do not read it themselves. */
export const strayStreamOf = (namespace: string, { streamName, streamCount }: Naming): string | undefined => {
  const remainder = hash(namespace) % streamCount
  return streamCount > 1 && remainder < 0 ? `${streamName}-${remainder}` : undefined
}
