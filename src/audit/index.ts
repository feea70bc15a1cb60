export type { DecisionLog, LogHealth, RecordQuery } from './decision-log.ts'
export {
  recordVersion,
  type BodyDraft,
  type DecisionDraft,
  type EventDraft,
  type OutcomeDraft,
  type Receipt,
  type RecordDraft,
  type RecordKind,
  type StoredRecord,
} from './record.ts'
