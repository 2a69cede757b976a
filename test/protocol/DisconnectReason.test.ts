import { describe, expect, it } from "vitest"
import * as CloseReason from "../../src/protocol/CloseReason.ts"
import * as DisconnectReason from "../../src/protocol/DisconnectReason.ts"

describe("CloseReason", () => {
  it("is one of five texts", () => {
    expect(CloseReason.all).toEqual([
      "transport error",
      "transport close",
      "forced close",
      "ping timeout",
      "parse error"
    ])
    expect(CloseReason.all.every(CloseReason.isCloseReason)).toBe(true)
    expect(CloseReason.isCloseReason("server shutting down")).toBe(false)
  })
})

describe("DisconnectReason", () => {
  it("passes on close reasons, unless the whole server closes", () => {
    for (const reason of CloseReason.all) {
      expect(DisconnectReason.serverFromCloseReason(reason)).toBe(reason)
      expect(DisconnectReason.serverFromCloseReason(reason, true)).toBe("server shutting down")
      expect(DisconnectReason.clientFromCloseReason(reason)).toBe(reason)
    }
  })

  it("a client reconnects after all but two", () => {
    expect(DisconnectReason.allClient.filter((reason) => !DisconnectReason.reconnects(reason))).toEqual([
      "io server disconnect",
      "io client disconnect"
    ])
    expect(DisconnectReason.allClient).toHaveLength(7)
  })

  it("a server keeps the session after the official reasons", () => {
    expect(DisconnectReason.allServer.filter(DisconnectReason.keepsSession)).toEqual([
      "transport error",
      "transport close",
      "forced close",
      "ping timeout",
      "server shutting down",
      "forced server close"
    ])
    expect(DisconnectReason.allServer).toHaveLength(9)
  })
})
