export type { ActiveRole } from './active-role.ts'
export { openBundleSource, openBundleTarget } from './bundle-directory.ts'
export type { NamespaceStore, StoredNamespace } from './namespace-store.ts'
export { openCosignatureReader, type CosignatureReader } from './open-cosignature-reader.ts'
export { openAuditReader, type AuditReaderOptions } from './open-audit-reader.ts'
export { openPostgresAuditReader, type PostgresAuditReaderOptions } from './postgres/log/postgres-audit-reader.ts'
export { openPostgresLog, type PostgresLog, type PostgresLogOptions } from './postgres/log/open-postgres-log.ts'
export { examineSeenLog } from './require-seen-log.ts'
export type { SeenDifference } from './seen-checkpoints.ts'
export { openStorage, type Storage, type StorageOptions } from './open-storage.ts'
export {
  openDecisionReader,
  type DecisionReader,
  type DecisionReaderOptions,
  type StoredDecision,
} from './open-decision-reader.ts'
export { examineDatabase } from './postgres/examine-database.ts'
export { openRecordReader, type RecordReader, type RecordReaderOptions } from './open-record-reader.ts'
