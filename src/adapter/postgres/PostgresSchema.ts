/**
 * The tables: attachments as the official adapter has them, and the log and the sessions of our own.
 */
import * as Names from "./PostgresNames.ts"
import type { PostgresSettings } from "./PostgresOptions.ts"

/** The numbers of our advisory locks begin with it; the second number is the table's own. */
export const lockClass = 1_936_289_633

/** The statement that makes the table of attachments. */
export const attachments = ({ tableName }: PostgresSettings): string =>
  `CREATE TABLE IF NOT EXISTS ${Names.table(tableName)} (id bigserial UNIQUE, created_at timestamptz DEFAULT NOW(), payload bytea)`

/** The statements that make the log and the sessions. */
export const store = ({ logTableName, sessionTableName }: PostgresSettings): ReadonlyArray<string> => {
  const log = Names.table(logTableName)
  const index = Names.quoted(`${logTableName.replaceAll(/\W+/g, "_").slice(0, 50)}_channel_id`)
  return [
    `CREATE TABLE IF NOT EXISTS ${log} (id bigserial PRIMARY KEY, channel text NOT NULL, payload bytea, created_at timestamptz NOT NULL DEFAULT clock_timestamp())`,
    `CREATE INDEX IF NOT EXISTS ${index} ON ${log} (channel, id)`,
    `CREATE TABLE IF NOT EXISTS ${Names.table(sessionTableName)} (channel text NOT NULL, pid text NOT NULL, payload bytea NOT NULL, expires_at timestamptz NOT NULL, PRIMARY KEY (channel, pid))`
  ]
}

/** All of them, for whoever makes tables by hand. */
export const statements = (settings: PostgresSettings): ReadonlyArray<string> => [
  attachments(settings),
  ...store(settings)
]

/** As one text, that nodes which start at the same time may run: one after the other, and all of it or nothing. */
export const transaction = (statements: ReadonlyArray<string>): string =>
  [`SELECT pg_advisory_xact_lock(${lockClass}, 0)`, ...statements].join("; ")
