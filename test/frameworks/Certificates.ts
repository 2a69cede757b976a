/** Certificates for the examples with TLS, made by openssl in a folder of their own. */
import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** A folder with certificates, each signed by itself. */
export interface Certificates {
  readonly folder: string
  /** The server's, which clients have to trust. */
  readonly ca: Buffer
  /** Key and certificate of somebody. */
  credentials(name: string): { readonly key: Buffer; readonly cert: Buffer }
  remove(): void
}

const selfSigned = (folder: string, file: string, name: string): void => {
  const path = (suffix: string): string => join(folder, `${file}-${suffix}.pem`)
  execFileSync(
    "openssl",
    [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"],
      ...["-subj", `/CN=${name}`, "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
      ...["-keyout", path("key"), "-out", path("cert")]
    ],
    { stdio: "pipe" }
  )
}

/** The server's certificate, that of the client "ada" that the server knows, and that of a stranger. */
export const make = (): Certificates => {
  const folder = mkdtempSync(join(tmpdir(), "effect-socketio-tls-"))
  selfSigned(folder, "server", "localhost")
  selfSigned(folder, "client", "ada")
  selfSigned(folder, "stranger", "ada")
  const pem = (file: string): Buffer => readFileSync(join(folder, `${file}.pem`))
  return {
    folder,
    ca: pem("server-cert"),
    credentials: (name) => ({ key: pem(`${name}-key`), cert: pem(`${name}-cert`) }),
    remove: () => rmSync(folder, { recursive: true, force: true })
  }
}
