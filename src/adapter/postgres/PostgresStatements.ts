/**
 * The statements that publish. Each is a transaction of its own, so that a row and the notification of it come together or not at all.
 *
 * Numbers of the log must be in the order in which notifications are delivered, which is the order of commits; sequences give numbers out before.
 * So whoever writes to the log holds an advisory lock from before it takes its number until after its commit. PostgreSQL itself lets transactions
 * that notify commit one after the other, so the lock makes that order visible rather than adding another one. A reader of the log that sees
 * a number has therefore seen all smaller ones, too.
 */
import type { Form } from "./PostgresEncoding.ts"
import * as Names from "./PostgresNames.ts"
import type { PostgresSettings } from "./PostgresOptions.ts"
import { lockClass } from "./PostgresSchema.ts"

/** The statements with the names of the tables in them. */
export interface Statements {
  /** $1 channels, $2 payloads: one notification for each, in order. */
  readonly notify: string
  /** $1 the row, $2 channel, $3 and $4 the notification around its number. */
  readonly attach: string
  /** $1 channel, $2 payloads: a row of the log and a notification for each, in order. */
  readonly append: string
  /** $1 channel, $2 the row, $3 and $4 the notification around its number. */
  readonly appendAttached: string
}

/** The statements for these tables. */
export const make = ({ tableName, logTableName }: PostgresSettings): Statements => {
  const attachments = Names.table(tableName)
  const log = Names.table(logTableName)
  const literal = `'${log.replaceAll("'", "''")}'`
  const turn = `turn AS MATERIALIZED (SELECT pg_advisory_xact_lock(${lockClass}, ${literal}::regclass::oid::int))`
  return {
    notify: `SELECT pg_notify(c, p) FROM unnest($1::text[], $2::text[]) AS t(c, p)`,
    attach: `WITH row AS (INSERT INTO ${attachments} (payload) VALUES ($1::bytea) RETURNING id) SELECT pg_notify($2, $3 || id || $4 || '}') FROM row`,
    append:
      `WITH ${turn} INSERT INTO ${log} (channel, payload) SELECT $1, convert_to(p, 'UTF8') FROM turn, unnest($2::text[]) AS t(p) ` +
      `RETURNING pg_notify(channel, '{"offset":"' || id || '",' || substr(convert_from(payload, 'UTF8'), 2))`,
    appendAttached:
      `WITH ${turn}, ` +
      `entry AS (INSERT INTO ${log} (channel, payload) SELECT $1, $2::bytea FROM turn RETURNING id), ` +
      `row AS (INSERT INTO ${attachments} (payload) SELECT $2::bytea FROM entry RETURNING id) ` +
      `SELECT pg_notify($1, $3 || row.id || $4 || ',"offset":"' || entry.id || '"}') FROM entry, row`
  }
}

/** A statement with its values. */
export interface Statement {
  readonly text: string
  readonly values: Array<unknown>
}

/** The statement that publishes one message. */
export const statement = (statements: Statements, channel: string, form: Form, stored: boolean): Statement => {
  const { notify, attach, append, appendAttached } = statements
  if (form._tag === "Attachment") {
    const { bytes, head, tail } = form
    return stored
      ? { text: appendAttached, values: [channel, bytes, head, tail] }
      : { text: attach, values: [bytes, channel, head, tail] }
  }
  return stored ? { text: append, values: [channel, [form.text]] } : { text: notify, values: [[channel], [form.text]] }
}

/** Whether PostgreSQL said no to a statement; else its connection is to blame. */
export const isRefusal = (error: unknown): boolean =>
  typeof error === "object" && error !== null && "severity" in error && error.severity === "ERROR"
