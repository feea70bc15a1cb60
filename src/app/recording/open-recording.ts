import type { DecisionLog, KeptDays, RecordingSettings, RecordingStore } from '../../audit/index.ts'
import type { GatewayPorts } from '../../gateway/index.ts'
import { createTurns, McpworksError, type BodyLevel, type Clock } from '../../kernel/index.ts'
import { appendEvent } from '../append-event.ts'

/** What a namespace has said; what it has not said is left out. */
export type RecordingChange = { readonly [Name in 'level' | 'bodyDays' | 'recordDays']?: RecordingSettings[Name] }

/** What holds in a namespace: its own settings, and where it has none the configuration's. */
export interface RecordingInForce {
  readonly namespace: string
  readonly level: BodyLevel
  readonly bodyDays: KeptDays
  /** Never below what the configuration wants at least. */
  readonly recordDays: KeptDays
  /** Which of them the namespace has said itself. */
  readonly own: RecordingSettings
}

/** What is kept beside the records of each namespace, and for how long. */
export interface Recording {
  level(namespace: string): BodyLevel
  inForce(namespace: string): RecordingInForce
  /**
   * Records the change, then makes it durable, then follows it.
   * @throws McpworksError `invalid_request` for texts that are to go too soon, `audit_unavailable`, `storage_unavailable`
   */
  change(namespace: string, change: RecordingChange, by: string): Promise<RecordingInForce>
}

/** What the settings stand on. */
export interface RecordingParts {
  readonly store: RecordingStore
  readonly decisionLog: Pick<DecisionLog, 'append'>
  readonly config: Pick<
    GatewayPorts['config'],
    'auditLevel' | 'auditBodyDays' | 'auditRecordDays' | 'auditMinRecordDays'
  >
  readonly clock: Clock
}

/** Reads the settings of all namespaces. They are held in memory: each call asks for its namespace's level. */
export async function openRecording({ store, decisionLog, config, clock }: RecordingParts): Promise<Recording> {
  const settings = new Map((await store.load()).map((one) => [one.namespace, one]))
  const inTurn = createTurns()
  const ownOf = (namespace: string): RecordingSettings =>
    settings.get(namespace) ?? { namespace, level: null, bodyDays: null, recordDays: null }
  const inForce = (namespace: string): RecordingInForce => {
    const own = ownOf(namespace)
    return {
      namespace,
      level: own.level ?? config.auditLevel,
      bodyDays: own.bodyDays ?? config.auditBodyDays,
      // Also where it was said while less was allowed, or behind the server's back.
      recordDays: atLeast(config.auditMinRecordDays, own.recordDays ?? config.auditRecordDays),
      own,
    }
  }
  return {
    level: (namespace) => settings.get(namespace)?.level ?? config.auditLevel,
    inForce,
    change(namespace, change, by) {
      return inTurn(namespace, async () => {
        requireEnough(change, config.auditMinRecordDays)
        const before = ownOf(namespace)
        const after = { ...before, ...change }
        const event = { type: 'recording-set', before: eventOf(before), after: eventOf(after), by }
        await appendEvent(decisionLog, clock, { kind: 'policy-change', namespace, event })
        await store.put(after)
        settings.set(namespace, after)
        return inForce(namespace)
      })
    },
  }
}

function atLeast(least: number, days: KeptDays): KeptDays {
  return days === 'forever' ? days : Math.max(least, days)
}

function requireEnough({ recordDays }: RecordingChange, least: number): void {
  if (recordDays == null || recordDays === 'forever' || recordDays >= least) return
  throw new McpworksError('invalid_request', {
    message: `This server keeps texts of records for ${least} days at least. Whoever runs it sets that (gateway.auditMinRecordDays).`,
  })
}

function eventOf({ level, bodyDays, recordDays }: RecordingSettings) {
  return { level, body_days: bodyDays, record_days: recordDays }
}
