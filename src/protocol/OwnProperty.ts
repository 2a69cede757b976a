/**
 * Properties whose names come from the network.
 */

/** Sets an own property, whatever its name: plain assignment to `__proto__` would change the prototype. */
export const set = (target: Record<string, unknown>, key: string, value: unknown): void => {
  if (key === "__proto__") {
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
  } else {
    target[key] = value
  }
}
