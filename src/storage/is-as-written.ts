import { leafHash, readEnvelope } from '../audit/index.ts'

/**
 * Whether a row says what its text says, and that is what the trees hold. Somebody who can change the database must not
 * have the log itself take out a record by making it look old, or of another kind: from such a row on nothing goes.
 */
export function isAsWritten(row: Record<string, unknown>): boolean {
  const json = String(row['json'])
  const envelope = readEnvelope(json)
  return (
    envelope !== null &&
    Buffer.compare(leafHash(json), row['leaf_hash'] as Uint8Array) === 0 &&
    envelope.id === row['id'] &&
    Date.parse(envelope.time) === Number(row['time_ms']) &&
    envelope.kind === row['kind'] &&
    envelope.call === row['call']
  )
}
