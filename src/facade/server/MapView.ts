/**
 * Maps that show something that is kept elsewhere and in another form: what Socket.IO's programs read of namespaces and adapters.
 */

/** Where the entries come from. */
export interface MapSource<V> {
  get(key: string): V | undefined
  keys(): Iterable<string>
  size(): number
}

/** A `Map` that is always up to date. It cannot be changed: `set`, `delete` and `clear` throw. */
export class MapView<V> extends Map<string, V> {
  readonly #source: MapSource<V>

  constructor(source: MapSource<V>) {
    super()
    this.#source = source
  }

  override get size(): number {
    return this.#source.size()
  }

  override get(key: string): V | undefined {
    return this.#source.get(key)
  }

  override has(key: string): boolean {
    return this.#source.get(key) !== undefined
  }

  override *keys(): MapIterator<string> {
    yield* this.#source.keys()
  }

  override *values(): MapIterator<V> {
    for (const [, value] of this.entries()) yield value
  }

  override *entries(): MapIterator<[string, V]> {
    for (const key of this.#source.keys()) {
      const value = this.#source.get(key)
      if (value !== undefined) yield [key, value]
    }
  }

  override [Symbol.iterator](): MapIterator<[string, V]> {
    return this.entries()
  }

  override forEach(callback: (value: V, key: string, map: Map<string, V>) => void, self?: unknown): void {
    for (const [key, value] of this.entries()) callback.call(self, value, key, this)
  }

  override set(): never {
    throw new TypeError("this map is a view: use socket.join, socket.leave and socket.disconnect")
  }

  override delete(): never {
    return this.set()
  }

  override clear(): never {
    return this.set()
  }

  /** What `console.log` prints. */
  [Symbol.for("nodejs.util.inspect.custom")](): Map<string, V> {
    return new Map(this.entries())
  }
}
