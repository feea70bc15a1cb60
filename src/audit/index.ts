export {
  checkpointOrigin,
  openCheckpoint,
  readCheckpoint,
  signCheckpoint,
  treeOfOrigin,
  type Checkpoint,
} from './checkpoint.ts'
export { keySuccession, signersOf, type KeySuccession } from './key-succession.ts'
export { rootAt } from './prove-consistency.ts'
export type { BundleSource, BundleTarget } from './bundle/bundle-files.ts'
export { parseTilePlace } from './bundle/tile-path.ts'
export { verifyBundle, type BundleReport } from './bundle/verify-bundle.ts'
export { writeBundle } from './bundle/write-bundle.ts'
export {
  checkCallProof,
  makeCallProof,
  type CallProof,
  type CallProofVerdict,
  type WitnessDemand,
} from './call-proof.ts'
export { ColumnsDigest } from './columns-digest.ts'
export { toCloudEvent } from './export/to-cloud-event.ts'
export { eventToOcsf, toOcsf } from './export/to-ocsf.ts'
export { explainCall, type CallExplanation, type CallMaterial } from './call-explanation.ts'
export type {
  DecisionLog,
  KeyRotation,
  LogHealth,
  LogSigningKey,
  RecordProof,
  RecordProver,
  RecordQuery,
} from './decision-log.ts'
export { findRemoval, removalSentence } from './find-removal.ts'
export type { LogPositionStore } from './log-position-store.ts'
export { checkConsistency, proveConsistency } from './log-consistency.ts'
export { logPeriod, periodEndMs } from './log-period.ts'
export { keyChangeEvent, signKeyChange, type KeyChange, type KeyChangeEvent } from './key-change.ts'
export { LogTree, tileWidth, type FullTile } from './log-tree.ts'
export { periodEvent } from './period-event.ts'
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
export type { KeptDays, RecordingSettings, RecordingStore } from './recording.ts'
export type { RetentionClockStore } from './retention-clock-store.ts'
export { recordSchemaText } from './record-schema-text.ts'
export { parseRedactions, redactionsOf } from './redactions-of.ts'
export { renderWhy } from './render-why.ts'
export { readEnvelope } from './stored-envelope.ts'
export { readRemoval } from './removal-event.ts'
export { inclusionProof, leafHash, nodeHash, verifyInclusion, type SubtreeReader } from './rfc6962.ts'
export { PositionRanges } from './position-ranges.ts'
export type {
  ErasureResult,
  ExpiryStep,
  Hold,
  LogReader,
  RecordKeeper,
  StepResult,
  UnreadTexts,
} from './record-keeper.ts'
export { requireLogNamespace } from './require-log-namespace.ts'
export { startSentence } from './start-sentence.ts'
export { mayHoldSecrets, withoutSecrets } from './secret-patterns.ts'
export { sealRecord, type RecordSeal } from './seal-record.ts'
export {
  openBodies,
  sealBodies,
  type BodyPart,
  type BodyReference,
  type OpenedBody,
  type RandomBytes,
} from './sealed-bodies.ts'
export {
  ed25519Signer,
  parseVerifierKey,
  treeKeyLine,
  verifierKey,
  type NoteSigner,
  type NoteVerifier,
} from './signed-note.ts'
export type {
  AuditReader,
  BodiesRow,
  CheckpointRow,
  HeadRow,
  RecordRow,
  TileRow,
  TreeReader,
  TreeRow,
  WriterHead,
} from './audit-reader.ts'
export { readTile, type TileName, type TreeName } from './read-tile.ts'
export { subjectOf, subjectOfDecision } from './subject-of.ts'
export { verifyDecisionLog, type VerifyOptions } from './verify-decision-log.ts'
export type { VerifyCount, VerifyProblem, VerifyReport } from './verify-report.ts'
export { writerIdOf } from './writer-id.ts'
export { writeRecord } from './write-record.ts'
export { askedTerms } from './search/asked-terms.ts'
export { buildCallTree, type CallTree } from './search/call-tree.ts'
export {
  type LogSearch,
  type SearchField,
  type SearchFilter,
  type SearchHit,
  type SearchIndexState,
  type SearchPage,
  type SearchQuery,
} from './search/log-search.ts'
export { RecordTerms, termsOf, type TermSource } from './search/record-terms.ts'
export { searchHit, type ReadRecord } from './search/search-hit.ts'
export { parseObject } from './stored-envelope.ts'
export type { CheckpointSink, ShippedCheckpoint, ShipOutcome } from './publish/checkpoint-sink.ts'
export { PublishFailure, type PublishedFile, type PublishTarget } from './publish/publish-target.ts'
export { judgeCheckpoint, publishTree, type PublishOutcome, type SignedTree } from './publish/publish-tree.ts'
export { askWitness, type WitnessOutcome, type WitnessResponse } from './witness/ask-witness.ts'
export { countWitnesses, parseWitnessKey, type Cosignature, type WitnessKey } from './witness/cosignature.ts'
export { cosignedNote, type CosignatureStore, type StoredCosignature } from './witness/cosignature-store.ts'
export { proveCosigned } from './witness/prove-cosigned.ts'
export { readKeptCheckpoints } from './publish/kept-checkpoints.ts'
