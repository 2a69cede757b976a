import { describe, expect, it } from "vitest"
import * as OwnProperty from "../../src/protocol/OwnProperty.ts"
import * as SocketBinary from "../../src/protocol/SocketBinary.ts"
import * as Gen from "./generate.ts"

const nested = (depth: number, leaf: unknown): unknown => {
  let value = leaf
  for (let i = 0; i < depth; i++) value = i % 2 === 0 ? [value] : { x: value }
  return value
}

const deconstructed = (data: unknown): SocketBinary.Deconstructed => {
  const result = SocketBinary.deconstruct(data)
  if (SocketBinary.isFailure(result)) throw new Error(result.message)
  return result
}

const parsed = (json: string): unknown => JSON.parse(json) as unknown

const throwing = {
  toJSON() {
    throw new Error("no")
  }
}

describe("SocketBinary.hasBinary", () => {
  it("sees every kind of binary, at any depth", () => {
    const binaries = [
      Buffer.of(1),
      new Uint8Array(0),
      new ArrayBuffer(2),
      new DataView(new ArrayBuffer(2)),
      new Float64Array(1),
      new BigInt64Array(1)
    ]
    for (const binary of binaries) {
      expect(SocketBinary.hasBinary(binary)).toBe(true)
      expect(SocketBinary.hasBinary(["a", { b: [binary] }])).toBe(true)
      expect(SocketBinary.hasBinary({ toJSON: () => ({ b: binary }) })).toBe(true)
    }
  })

  it("sees none where there is none", () => {
    for (const value of [null, undefined, 1, "x", true, 1n, Symbol.iterator, () => 1, [], {}, new Date(), new Map()]) {
      expect(SocketBinary.hasBinary(value)).toBe(false)
      expect(SocketBinary.hasBinary([value, { a: value }, null])).toBe(false)
    }
    expect(SocketBinary.hasBinary({ hidden: Buffer.of(1), toJSON: () => "shown" })).toBe(false)
    // Only own properties are sent.
    expect(SocketBinary.hasBinary(Object.create({ inherited: Buffer.of(1) }))).toBe(false)
  })

  it("calls toJSON once: the toJSON of its result is a property like any other", () => {
    const result = { toJSON: () => Buffer.of(1), a: 1 }
    expect(SocketBinary.hasBinary({ toJSON: () => result })).toBe(false)
  })

  it("does not vouch for what it cannot look through", () => {
    const cyclic: Array<unknown> = []
    cyclic.push(cyclic)
    expect(SocketBinary.hasBinary(cyclic)).toBe(true)
    expect(SocketBinary.hasBinary([throwing])).toBe(true)
    expect(SocketBinary.hasBinary(nested(SocketBinary.maxDepth, {}))).toBe(false)
    expect(SocketBinary.hasBinary(nested(SocketBinary.maxDepth + 1, {}))).toBe(true)
  })
})

describe("SocketBinary.deconstruct", () => {
  it("leaves placeholders in the order of the data, and the bytes without a copy", () => {
    const buffer = Buffer.of(1, 2)
    const view = new Uint16Array([0x0201, 0x0403, 0x0605]).subarray(1)
    const { data, attachments } = deconstructed(["x", { a: buffer, b: [view] }, new ArrayBuffer(1), buffer])
    expect(data).toEqual([
      "x",
      { a: { _placeholder: true, num: 0 }, b: [{ _placeholder: true, num: 1 }] },
      { _placeholder: true, num: 2 },
      { _placeholder: true, num: 3 }
    ])
    expect(attachments[0]).toBe(buffer)
    expect(attachments.map((bytes) => [...bytes])).toEqual([[1, 2], [3, 4, 5, 6], [0], [1, 2]])
  })

  it("changes nothing in what it was given", () => {
    const data = Object.freeze(["x", Object.freeze({ a: Buffer.of(1) })])
    expect(deconstructed(data).attachments).toHaveLength(1)
  })

  it("keeps dates and undefined for JSON, honours toJSON", () => {
    const date = new Date(0)
    const { data } = deconstructed([date, undefined, { toJSON: () => ({ a: Buffer.of(1) }) }])
    expect(data).toEqual([date, undefined, { a: { _placeholder: true, num: 0 } }])
  })

  it("keeps an own property called __proto__ one", () => {
    const { data } = deconstructed(parsed('[{"__proto__":{"admin":true}}]'))
    expect(JSON.stringify(data)).toBe('[{"__proto__":{"admin":true}}]')
  })

  it("fails for cyclic data instead of overflowing the stack", () => {
    const array: Array<unknown> = [Buffer.of(1)]
    array.push(array)
    const record: Record<string, unknown> = {}
    record["self"] = { record }
    const endless = { toJSON: () => ({ endless }) }
    for (const data of [array, record, endless]) {
      expect(SocketBinary.deconstruct(data)).toMatchObject({ message: "data is cyclic or nested too deep" })
    }
    expect(deconstructed(nested(SocketBinary.maxDepth, {})).attachments).toEqual([])
    expect(SocketBinary.isFailure(SocketBinary.deconstruct(nested(SocketBinary.maxDepth + 1, {})))).toBe(true)
  })

  it("fails with what a toJSON or getter throws", () => {
    expect(SocketBinary.deconstruct([throwing])).toMatchObject({ message: "no" })
    const failWith = (thrown: unknown) => {
      throw thrown
    }
    const odd = {
      get a() {
        return failWith("a text")
      }
    }
    expect(SocketBinary.deconstruct([odd])).toMatchObject({ message: "data cannot be read" })
  })

  it("fails for a Blob, which would be sent as an empty object", () => {
    for (const data of [new Blob(["x"]), ["x", { a: new File(["x"], "y") }]]) {
      expect(SocketBinary.hasBinary(data)).toBe(true)
      expect(SocketBinary.deconstruct(data)).toMatchObject({ message: SocketBinary.blobMessage })
    }
    expect(SocketBinary.hasBinary([{}, new Set(), { arrayBuffer: () => 1, size: 1 }])).toBe(false)
  })

  it("is not confused by data that looks like a failure", () => {
    const data = [{ _tag: "SocketBinaryFailure", message: "x" }]
    expect(deconstructed(data)).toEqual({ data, attachments: [] })
    expect(SocketBinary.isFailure(data[0])).toBe(false)
  })

  it("fails for data that looks like a placeholder: a relayed one would be replaced at the receiver", () => {
    const relayed = parsed('{"_placeholder":true,"num":0}')
    expect(SocketBinary.deconstruct(["x", relayed, Buffer.of(1)])).toMatchObject({
      message: "data looks like the placeholder of an attachment"
    })
    expect(SocketBinary.isFailure(SocketBinary.deconstruct({ a: [relayed] }))).toBe(true)
    expect(SocketBinary.isFailure(SocketBinary.deconstruct({ a: { _placeholder: false, num: 0 } }))).toBe(false)
  })
})

describe("SocketBinary.reconstruct", () => {
  const a = Buffer.of(1)
  const b = Buffer.of(2)

  it("puts attachments back, in any order and also twice", () => {
    const data = parsed(
      '["x",{"k":{"_placeholder":true,"num":1}},{"_placeholder":true,"num":0},[{"_placeholder":true,"num":1}],null,1]'
    )
    expect(SocketBinary.reconstruct(data, [a, b])).toEqual(["x", { k: b }, a, [b], null, 1])
  })

  it("takes only exact placeholders with the number of an attachment", () => {
    for (const num of ["1", "-1", "0.5", '"0"', '"splice"', '"length"', "null", "1e400", "[0]"]) {
      const data = parsed(`["x",{"_placeholder":true,"num":${num}}]`)
      expect(SocketBinary.reconstruct(data, [a]), num).toMatchObject({
        _tag: "SocketBinaryFailure",
        message: "illegal attachments"
      })
    }
    for (const text of [
      '{"_placeholder":true}',
      '{"_placeholder":true,"num":0,"more":1}',
      '{"_placeholder":true,"x":0}'
    ]) {
      expect(SocketBinary.isFailure(SocketBinary.reconstruct(parsed(`[${text}]`), [a])), text).toBe(true)
      expect(SocketBinary.isFailure(SocketBinary.reconstruct(parsed(`{"a":[${text}]}`), [a])), text).toBe(true)
    }
    const plain = parsed('[{"_placeholder":1,"num":0},{"_placeholder":true,"num":0}]')
    expect(SocketBinary.reconstruct(plain, [a])).toEqual([{ _placeholder: 1, num: 0 }, a])
  })

  it("fails if an attachment is not named by any placeholder", () => {
    expect(SocketBinary.isFailure(SocketBinary.reconstruct(parsed('["x"]'), [a]))).toBe(true)
    expect(SocketBinary.isFailure(SocketBinary.reconstruct(parsed('[{"_placeholder":true,"num":0}]'), [a, b]))).toBe(
      true
    )
  })

  it("cannot be used to change a prototype", () => {
    const data = parsed(
      '[{"__proto__":{"_placeholder":true,"num":0}},{"__proto__":{"x":[{"_placeholder":true,"num":0}]}}]'
    )
    const result = SocketBinary.reconstruct(data, [a]) as ReadonlyArray<object>
    expect(result.map((item) => Object.getPrototypeOf(item) as unknown)).toEqual([Object.prototype, Object.prototype])
    expect(Object.getOwnPropertyDescriptor(result[0], "__proto__")?.value).toBe(a)
    expect(Object.hasOwn(Object.prototype, "x")).toBe(false)
  })

  it("fails for data nested deeper than the stack allows, instead of throwing", () => {
    const deep = (depth: number) => parsed("[".repeat(depth) + '{"_placeholder":true,"num":0}' + "]".repeat(depth))
    expect(SocketBinary.isFailure(SocketBinary.reconstruct(deep(SocketBinary.maxDepth), [a]))).toBe(false)
    expect(SocketBinary.isFailure(SocketBinary.reconstruct(deep(SocketBinary.maxDepth + 1), [a]))).toBe(true)
    expect(SocketBinary.isFailure(SocketBinary.reconstruct(deep(200_000), [a]))).toBe(true)
  })

  it("gives back what deconstruct took out, through JSON", () => {
    Gen.forAll(500, (random) => {
      const data = Gen.value(random, { binary: 0.3, extra: [], keys: (r) => r.pick(["a", "__proto__", "num", "é"]) }, 4)
      const taken = deconstructed(data)
      expect(SocketBinary.hasBinary(data)).toBe(taken.attachments.length > 0)
      const back = SocketBinary.reconstruct(parsed(JSON.stringify(taken.data)), taken.attachments)
      // -0 is 0 in JSON.
      expect(back).toEqual(deepPlusZero(data))
    })
  })
})

const deepPlusZero = (value: unknown): unknown => {
  if (value === 0) return 0
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value
  if (Array.isArray(value)) return value.map(deepPlusZero)
  const copy: Record<string, unknown> = {}
  for (const key of Object.keys(value))
    OwnProperty.set(copy, key, deepPlusZero((value as Record<string, unknown>)[key]))
  return copy
}
