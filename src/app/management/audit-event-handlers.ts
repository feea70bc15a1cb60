import { setTimeout as pause } from 'node:timers/promises'
import {
  eventToOcsf,
  explainCall,
  toCloudEvent,
  toOcsf,
  type DecisionLog,
  type StoredRecord,
} from '../../audit/index.ts'
import { McpworksError, type Clock, type JsonObject } from '../../kernel/index.ts'
import type { Handlers } from './handler.ts'
import { withoutReads } from './reads-of-log.ts'

/** How often a waiting read looks again. */
const pollMs = 200
/** A call has a decision and an outcome, and perhaps `abandoned`. */
const maxRecordsOfCall = 10

/** What the events stand on. */
export interface AuditEventPorts {
  readonly decisionLog: Pick<DecisionLog, 'read'>
  readonly clock: Clock
  readonly version: string
}

/**
 * The log as events for other systems, from a position on: whoever keeps `lastIndex` and goes on from there misses
 * nothing, however long they were away. Reading the log makes no events.
 */
export function auditEventHandlers(ports: AuditEventPorts): Pick<Handlers, 'audit.events'> {
  const { decisionLog, clock } = ports
  return {
    async 'audit.events'({ namespace, format, after, limit, waitSeconds }, _invocation, signal) {
      const deadline = clock.monotonicMs() + waitSeconds * 1000
      let position = after
      for (;;) {
        const found = await decisionLog.read({ namespace, afterIndex: position, limit })
        position = found.at(-1)?.index ?? position
        const events: JsonObject[] = []
        for (const stored of await withoutReads(decisionLog, namespace, found)) {
          const event = await toEvent(stored, format, ports)
          if (event !== null) events.push(event)
        }
        const more = found.length === limit
        const isOver = clock.monotonicMs() >= deadline || signal.aborted
        if (events.length > 0 || more || isOver) return { events, lastIndex: position, more }
        await pause(pollMs)
      }
    },
  }
}

/** `null` for a record that makes no event of its own. */
async function toEvent(
  stored: StoredRecord,
  format: 'record' | 'ocsf' | 'cloudevents',
  { decisionLog, version }: AuditEventPorts,
): Promise<JsonObject | null> {
  if (format === 'record') return JSON.parse(stored.json) as JsonObject
  if (format === 'cloudevents') return toCloudEvent(stored)
  if (stored.kind !== 'decision' && stored.kind !== 'outcome' && stored.kind !== 'abandoned')
    return eventToOcsf(stored, version)
  const { namespace, call } = stored
  const records = await decisionLog.read({ namespace, call, limit: maxRecordsOfCall })
  const upTo = records.filter(({ index }) => index <= stored.index)
  if (!upTo.some(({ kind }) => kind === 'decision'))
    throw new McpworksError('internal', { detail: `an outcome without a decision: ${stored.id}` })
  const explained = explainCall({ records: upTo, input: null, output: null, proof: null })
  // An allowed call is one event, at its end.
  if (stored.kind === 'decision' && explained.decision.effect === 'allow') return null
  return toOcsf(explained, version)
}
