/**
 * Frames for fuzzing: Socket.IO and Engine.IO packets made by the grammar, and mutations that break them.
 */
import { bytes, number, type Random, text, value } from "../protocol/generate.ts"

/** A frame as it travels in a WebSocket message or a polling packet. */
export type Frame = string | Uint8Array

const noExtra = { binary: 0, extra: [] }

const namespaces = ["", "", "", "", "", "/a,", "/a,", "/nobody,", "/a?x=1,", "/__proto__,", "/,"]

const events = ["echo", "join", "say", "error", "connect", "disconnect", "__proto__", "toString", "newListener", ""]

const idOf = (random: Random): string => {
  switch (random.below(4)) {
    case 0:
      return String(random.below(100))
    case 1:
      return random.pick(["9007199254740993", "00", "-1", "1e3", "99999999999999999999999"])
    default:
      return ""
  }
}

const eventName = (random: Random): unknown =>
  random.below(8) === 0 ? value(random, noExtra, 2) : random.below(4) === 0 ? text(random, 10) : random.pick(events)

const list = (random: Random, limit: number): Array<unknown> =>
  Array.from({ length: random.below(limit) }, () => value(random, noExtra, 3))

/** A message of Socket.IO without the engine's "4", with the attachments that follow it. */
export const socketPacket = (random: Random): { readonly head: string; readonly attachments: Array<Uint8Array> } => {
  const nsp = random.pick(namespaces)
  const kind = random.below(16)
  const plain = (head: string) => ({ head, attachments: [] })
  switch (kind) {
    case 0:
      return plain(`0${nsp}${random.below(2) === 0 ? "" : JSON.stringify(value(random, noExtra, 2))}`)
    case 1:
      return plain(`1${nsp}`)
    case 2:
      return plain(`3${nsp}${idOf(random) || "0"}${JSON.stringify(list(random, 4))}`)
    case 3:
      return plain(`4${nsp}${JSON.stringify(value(random, noExtra, 2))}`)
    case 4:
    case 5: {
      const count = random.below(4)
      const attachments = Array.from({ length: count }, () => bytes(random, 60))
      const places = attachments.map((_, num) => ({
        _placeholder: true,
        num: random.below(6) === 0 ? number(random) : num
      }))
      const announced = random.below(6) === 0 ? number(random) : count
      const data = JSON.stringify([eventName(random), ...places, ...list(random, 2)])
      return { head: `${random.below(4) === 0 ? 6 : 5}${announced}-${nsp}${idOf(random)}${data}`, attachments }
    }
    default:
      return plain(`2${nsp}${idOf(random)}${JSON.stringify([eventName(random), ...list(random, 4)])}`)
  }
}

/** Frames of the engine: mostly messages. */
export const frames = (random: Random): Array<Frame> => {
  if (random.below(8) === 0) return [random.pick(["2", "3", "2probe", "3probe", "5", "6", "1", "0{}", "7", "x", ""])]
  const { head, attachments } = socketPacket(random)
  return [`4${head}`, ...attachments]
}

const interesting = [
  '"',
  "{",
  "}",
  "[",
  "]",
  ",",
  "-",
  "/",
  "0",
  "9",
  "\x1e",
  "\x00",
  "b",
  "é",
  "\ud800",
  "e999",
  "null",
  "\\u"
]

const mutateText = (random: Random, input: string): string => {
  const at = random.below(input.length + 1)
  switch (random.below(7)) {
    case 0:
      return input.slice(0, at)
    case 1:
      return input.slice(0, at) + random.pick(interesting) + input.slice(at)
    case 2:
      return input.slice(0, at) + input.slice(at + 1 + random.below(4))
    case 3:
      return input.slice(0, at) + String.fromCharCode(random.below(65_536)) + input.slice(at + 1)
    case 4:
      return input.slice(0, at) + input.slice(random.below(input.length + 1))
    case 5:
      return input + input
    default:
      return input.slice(0, at) + random.pick(["[", "{", '["', '{"a":']).repeat(random.below(300)) + input.slice(at)
  }
}

const mutateBytes = (random: Random, input: Uint8Array): Uint8Array => {
  const result = random.below(3) === 0 ? input.slice(0, random.below(input.length + 1)) : input.slice()
  for (let n = random.below(4); n > 0 && result.length > 0; n--) result[random.below(result.length)] = random.below(256)
  return result
}

/** A frame that is a little, or very, wrong; sometimes of the other kind. */
export const mutate = (random: Random, frame: Frame): Frame => {
  if (random.below(20) === 0) return typeof frame === "string" ? new TextEncoder().encode(frame) : text(random)
  return typeof frame === "string" ? mutateText(random, frame) : mutateBytes(random, frame)
}

/** Frames of one packet; in `broken` of the cases one of them is mutated, or they come in another order, or one is missing. */
export const hostile = (random: Random, broken: number): Array<Frame> => {
  const made = frames(random)
  if (random.next() >= broken) return made
  const at = random.below(made.length)
  switch (random.below(6)) {
    case 0:
      return made.toReversed()
    case 1:
      return made.toSpliced(at, 1)
    default:
      return made.with(at, mutate(random, made[at]!))
  }
}
