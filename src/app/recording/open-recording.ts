import type { DecisionLog, KeptDays, RecordingSettings, RecordingStore } from '../../audit/index.ts'
import type { GatewayPorts } from '../../gateway/index.ts'
import { createTurns, uuidv7, type BodyLevel, type Clock } from '../../kernel/index.ts'

/** What a namespace has said; what it has not said is left out. */
export type RecordingChange = { readonly [Name in 'level' | 'bodyDays' | 'recordDays']?: RecordingSettings[Name] }

/** What holds in a namespace: its own settings, and where it has none the configuration's. */
export interface RecordingInForce {
  readonly namespace: string
  readonly level: BodyLevel
  readonly bodyDays: KeptDays
  readonly recordDays: KeptDays
  /** Which of them the namespace has said itself. */
  readonly own: RecordingSettings
}

/** What is kept beside the records of each namespace, and for how long. */
export interface Recording {
  level(namespace: string): BodyLevel
  inForce(namespace: string): RecordingInForce
  /** Records the change, then makes it durable, then follows it. @throws McpworksError `audit_unavailable`, `storage_unavailable` */
  change(namespace: string, change: RecordingChange, by: string): Promise<RecordingInForce>
}

/** What the settings stand on. */
export interface RecordingParts {
  readonly store: RecordingStore
  readonly decisionLog: Pick<DecisionLog, 'append'>
  readonly config: Pick<GatewayPorts['config'], 'auditLevel' | 'auditBodyDays' | 'auditRecordDays'>
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
      recordDays: own.recordDays ?? config.auditRecordDays,
      own,
    }
  }
  return {
    level: (namespace) => settings.get(namespace)?.level ?? config.auditLevel,
    inForce,
    change(namespace, change, by) {
      return inTurn(namespace, async () => {
        const before = ownOf(namespace)
        const after = { ...before, ...change }
        const id = uuidv7(clock.nowMs())
        await decisionLog.append({
          kind: 'policy-change',
          namespace,
          run: id,
          call: id,
          parentCall: null,
          trace: null,
          event: { type: 'recording-set', before: eventOf(before), after: eventOf(after), by },
        })
        await store.put(after)
        settings.set(namespace, after)
        return inForce(namespace)
      })
    },
  }
}

function eventOf({ level, bodyDays, recordDays }: RecordingSettings) {
  return { level, body_days: bodyDays, record_days: recordDays }
}
