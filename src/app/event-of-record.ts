import { eventToOcsf, explainCall, toCloudEvent, toOcsf, type StoredRecord } from '../audit/index.ts'
import { isJsonObject, type JsonObject } from '../kernel/index.ts'
import type { CallRecords } from './exporters/call-records.ts'

/** Forms that a record takes for other systems. */
export type EventFormat = 'record' | 'ocsf' | 'cloudevents'

/**
 * A record as an event for other systems. `null` for one that makes no event of its own: in OCSF an allowed call is one
 * event, at its end. Where the text of a record is gone (retention), so is its event.
 */
export async function eventOfRecord(
  stored: StoredRecord,
  format: EventFormat,
  calls: Pick<CallRecords, 'upTo'>,
  version: string,
): Promise<JsonObject | null> {
  if (stored.json === '') return null
  if (format === 'record') {
    const record: unknown = JSON.parse(stored.json)
    return isJsonObject(record) ? record : null
  }
  if (format === 'cloudevents') return toCloudEvent(stored)
  if (stored.kind !== 'decision' && stored.kind !== 'outcome' && stored.kind !== 'abandoned')
    return eventToOcsf(stored, version)
  const records = await calls.upTo(stored)
  if (!records.some(({ kind }) => kind === 'decision')) return eventToOcsf(stored, version)
  const explained = explainCall({ records, input: null, output: null, proof: null })
  return stored.kind === 'decision' && explained.decision.effect === 'allow' ? null : toOcsf(explained, version)
}
