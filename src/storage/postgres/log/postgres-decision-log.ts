import type { Hold, RecordProof, RecordQuery, StoredRecord } from '../../../audit/index.ts'
import {
  ThreadedDecisionLog,
  type SealedBodiesRow,
  type ThreadedDecisionLogParts,
} from '../../threaded-decision-log.ts'
import type { WorkerClient } from '../../worker-client.ts'
import type { DatabaseOptions } from '../database-options.ts'
import { proveStoredRecord } from './prove-stored-record.ts'
import { readRecords } from './read-records.ts'
import { ReadingSessions } from './reading-sessions.ts'
import { placeOfRecordId } from './record-place.ts'
import { allHoldsOf, holdOfRow, holdRecordsOfNamespace, holdsOfNamespace } from './stored-holds.ts'

/** What the log is made of. */
export interface PostgresDecisionLogParts extends ThreadedDecisionLogParts {
  readonly database: DatabaseOptions
  readonly silentMs: number
}

/** The decision log on PostgreSQL: appends go to a thread with a session of its own, reads use others. */
export class PostgresDecisionLog extends ThreadedDecisionLog {
  readonly #client: Pick<WorkerClient, 'settle'>
  readonly #sessions: ReadingSessions

  constructor(parts: PostgresDecisionLogParts) {
    // PostgreSQL's text holds every character but this one.
    super(parts, { name: 'database', takesNul: false })
    const { client, database, silentMs } = parts
    this.#client = client
    this.#sessions = new ReadingSessions({ database, silentMs })
  }

  async read(query: RecordQuery): Promise<StoredRecord[]> {
    if (query.namespace === null) await this.#client.settle()
    return readRecords(this.#sessions, query)
  }

  prove(recordId: string): Promise<RecordProof | null> {
    return proveStoredRecord(this.#sessions, recordId)
  }

  async holds(namespace: string | null): Promise<Hold[]> {
    const stored = (await this.#sessions.read(holdsOfNamespace, [namespace])).map(holdOfRow)
    const records = await this.#sessions.read(holdRecordsOfNamespace, [namespace])
    return allHoldsOf(stored, records)
  }

  async close(): Promise<void> {
    await this.#sessions.close()
  }

  protected async sealedBodies(recordId: string): Promise<SealedBodiesRow | null> {
    const place = placeOfRecordId(recordId)
    if (place === null) return null
    const [row] = await this.#sessions.read(
      `SELECT bodies.data_key, sealed, wrapped, subject, data_keys.epoch, namespace
       FROM records JOIN bodies USING (writer, pos) LEFT JOIN data_keys ON data_keys.data_key = bodies.data_key
       LEFT JOIN logs ON logs.log = data_keys.log WHERE records.writer = $1 AND pos = $2 AND id = $3`,
      [place.writer, place.position, recordId],
    )
    return row === undefined ? null : (row as unknown as SealedBodiesRow)
  }
}
