import type { JsonObject } from '../../kernel/index.ts'
import type { StoredRecord } from '../record.ts'
import { parseObject } from '../stored-envelope.ts'

/**
 * A record as a CloudEvent in the JSON format (CloudEvents 1.0.2). `source` and `id` together are unique, so that an
 * event which is sent twice is known for the same; `subject` is the call.
 */
export function toCloudEvent(stored: StoredRecord): JsonObject {
  return {
    specversion: '1.0',
    id: stored.id,
    source: `/mcpworks/namespaces/${stored.namespace}`,
    type: `mcpworks.${stored.kind}.v1`,
    subject: stored.call,
    time: new Date(stored.timeMs).toISOString(),
    datacontenttype: 'application/json',
    data: parseObject(stored.json) ?? {},
  }
}
