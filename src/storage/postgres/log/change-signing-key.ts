import {
  parseVerifierKey,
  signKeyChange,
  verifierKey,
  type KeyChangeEvent,
  type KeyRotation,
  type NoteVerifier,
} from '../../../audit/index.ts'
import { makeSigningKey } from '../../load-log-identity.ts'
import { DatabaseError } from '../database-failure.ts'
import type { Session } from '../session.ts'
import { readLogIdentity } from './log-identity.ts'
import { Sequencer } from './sequencer.ts'

/** What a change of the key works with, inside a transaction of a session that has the sequencer's lock. */
export interface KeyChangeScene {
  readonly session: Session
  readonly masterKey: Uint8Array
  readonly timeMs: number
  /** Begins the namespace's tree of this time, where that is due. */
  readonly beginPeriod: (namespace: string) => Promise<void>
  readonly record: (namespace: string, event: KeyChangeEvent) => Promise<void>
}

/**
 * Makes a new signing key and puts it in the place of the one in force. No record is added to any log meanwhile: so what
 * was there before is signed by the former key, the record that names the new one by both, and everything after it by
 * the new one. The session that orders the log must read the key anew.
 * @throws DatabaseError: nothing is to be committed
 */
export async function changeSigningKey(scene: KeyChangeScene): Promise<KeyRotation> {
  const { session, masterKey, timeMs, beginPeriod, record } = scene
  // Whoever appends, or makes a log, changes this table: it comes before or after.
  await session.query('LOCK TABLE logs IN EXCLUSIVE MODE')
  const identity = await readLogIdentity(session, masterKey)
  if (identity === null) throw new DatabaseError(null, 'the log has no key')
  const { rows } = await session.query('SELECT namespace FROM logs ORDER BY log')
  const namespaces = rows.map((row) => String(row['namespace']))
  for (const namespace of namespaces) await beginPeriod(namespace)
  const sequencer = await Sequencer.resume({ session, identity, masterKey })
  await sequencer.run('all')
  const number = (await readKeyChanges(session)).length + 1
  const made = makeSigningKey(masterKey)
  const name = `mcpworks/${identity.logId}`
  const [former, next] = [
    { name, ...identity.key },
    { name, ...made.key },
  ]
  const change = { number, timeMs, previous: former, next }
  const statement = signKeyChange(change, { previous: former.privateKey, next: next.privateKey })
  for (const namespace of namespaces) await record(namespace, { number, statement, inherited: false })
  sequencer.signAlsoWith(made.key)
  await sequencer.run('all')
  const lines = [...identity.keyLines, verifierKey(next)].join('\n')
  await session.query("UPDATE meta SET value = $1 WHERE name = 'signing_key'", [Buffer.from(made.wrapped)])
  await session.query("UPDATE meta SET value = $1 WHERE name = 'verifier_key'", [Buffer.from(lines)])
  await session.query('INSERT INTO key_changes (number, statement) VALUES ($1, $2)', [number, statement])
  return { number, previous: verifierKey(former), next: verifierKey(next) }
}

/** Statements of the changes of the signing key, oldest first. @throws DatabaseError */
export async function readKeyChanges(session: Session): Promise<string[]> {
  const { rows } = await session.query('SELECT statement FROM key_changes ORDER BY number')
  return rows.map((row) => String(row['statement']))
}

/** The public half of the key in force. @throws DatabaseError */
export async function verifierInForce(session: Session): Promise<NoteVerifier> {
  const { rows } = await session.query(
    "SELECT convert_from(value, 'UTF8') AS lines FROM meta WHERE name = 'verifier_key'",
  )
  const verifier = parseVerifierKey(String(rows[0]?.['lines']).split('\n').at(-1) ?? '')
  if (verifier === null) throw new DatabaseError(null, 'the public key of the log was changed')
  return verifier
}
