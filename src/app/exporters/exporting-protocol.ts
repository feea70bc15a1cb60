import type { ExportersConfig, MetricFamily } from '../../exporters/index.ts'
import type { ErrorCode, JsonObject } from '../../kernel/index.ts'
import type { RecordReaderOptions } from '../../storage/index.ts'
import type { ExporterState } from './open-exporters.ts'

/** What the thread that hands the log on is given. No key of the log is among it: it reads no arguments and no results. */
export interface ExportingThreadData {
  readonly place: RecordReaderOptions
  readonly config: ExportersConfig
  readonly version: string
}

/** What the thread is told. */
export type ExportingRequest =
  /** How far it is, and what it counted. */
  | { readonly kind: 'ask'; readonly ticket: number }
  /** The answer to `find` and `keep`; `position` of `keep` is `null`. */
  | { readonly kind: 'position'; readonly ticket: number; readonly position: string | null }
  | { readonly kind: 'no-position'; readonly ticket: number; readonly code: ErrorCode }
  | { readonly kind: 'end' }

/** What the thread tells. */
export type ExportingMessage =
  | { readonly kind: 'ready' }
  /** It could not begin, and ends. */
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly detail: string }
  /** Positions are kept by the thread that has the database of state. */
  | { readonly kind: 'find'; readonly ticket: number; readonly reader: string }
  | { readonly kind: 'keep'; readonly ticket: number; readonly reader: string; readonly id: string }
  /** A line for the operator. */
  | { readonly kind: 'line'; readonly level: 'info' | 'error'; readonly fields: JsonObject; readonly message: string }
  | { readonly kind: 'answer'; readonly ticket: number; readonly answer: ExportingAnswer }

/** How far the thread is. */
export interface ExportingAnswer {
  readonly states: readonly ExporterState[]
  /** Empty where metrics are not wanted. */
  readonly families: readonly MetricFamily[]
}
