import { setTimeout as pause } from 'node:timers/promises'
import type { DecisionLog } from '../../audit/index.ts'
import type { Clock, JsonObject } from '../../kernel/index.ts'
import { eventOfRecord } from '../event-of-record.ts'
import { eventWithoutText } from '../event-without-text.ts'
import { createCallRecords } from '../exporters/call-records.ts'
import type { Handlers } from './handler.ts'
import { withoutReads } from './reads-of-log.ts'

/** How often a waiting read looks again. */
const pollMs = 200

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
  const { decisionLog, clock, version } = ports
  return {
    async 'audit.events'({ namespace, format, after, limit, waitSeconds }, _invocation, signal) {
      const deadline = clock.monotonicMs() + waitSeconds * 1000
      const calls = createCallRecords(decisionLog)
      let position = after
      for (;;) {
        const found = await decisionLog.read({ namespace, afterIndex: position, limit, withoutText: true })
        position = found.at(-1)?.index ?? position
        const events: JsonObject[] = []
        for (const stored of await withoutReads(decisionLog, namespace, found)) {
          const event =
            stored.json === ''
              ? await eventWithoutText(decisionLog, stored, format, version)
              : await eventOfRecord(stored, format, calls, version)
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
