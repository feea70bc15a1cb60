import { eventToOcsf, findRemoval, removalSentence, type DecisionLog, type StoredRecord } from '../audit/index.ts'
import type { JsonObject } from '../kernel/index.ts'
import type { EventFormat } from './event-of-record.ts'

/** A record whose text is gone, as an event that says so: whoever reads the log from its beginning misses no position. */
export async function eventWithoutText(
  log: Pick<DecisionLog, 'read'>,
  stored: StoredRecord,
  format: EventFormat,
  version: string,
): Promise<JsonObject> {
  const { id, kind, call, namespace, index, timeMs } = stored
  const time = new Date(timeMs).toISOString()
  const gone = `its text ${removalSentence(await findRemoval(log, stored, { part: 'text' }))}`
  if (format === 'ocsf') return { ...eventToOcsf(stored, version), message: `${kind}: ${gone}` }
  const left = { id, kind, call, namespace, time, index, gone }
  if (format === 'record') return left
  return {
    specversion: '1.0',
    id,
    source: `/mcpworks/namespaces/${namespace}`,
    type: 'mcpworks.removed.v1',
    subject: call,
    time,
    datacontenttype: 'application/json',
    data: left,
  }
}
