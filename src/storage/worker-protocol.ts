import type { SQLInputValue } from 'node:sqlite'
import type { KeyRotation, RecordKind } from '../audit/index.ts'
import type { ErrorCode } from '../kernel/index.ts'
import type { KeepingAnswer, KeepingTask } from './keeping-task.ts'

/** What the worker is started with. */
export interface WorkerSettings {
  readonly auditPath: string
  readonly statePath: string
  readonly publicKeyPath: string
  readonly masterKey: Uint8Array
  readonly startedAtMs: number
  readonly auditMaxPages: number | null
}

/** One record to append. */
export interface AppendItem {
  readonly ticket: number
  readonly timeMs: number
  readonly namespace: string
  readonly kind: RecordKind
  readonly call: string
  /** Who asked, for the index: of decisions only. */
  readonly principal: string | null
  /** Id of the principal under whose key its bodies are sealed; `null` where it has none. */
  readonly subject: string | null
  /** Whether it allows a call, which then needs an outcome. */
  readonly allows: boolean
  /** The record's text with places for what only the writer knows (`writeRecord`). */
  readonly text: string
  readonly input: string | null
  readonly output: string | null
  readonly engineInput: string | null
  /** In how many places secrets were taken out of them (`redactionsOf`). */
  readonly redactions: string
}

/** What `AppendItem` is on its way: its members in order, one item after the other. Flat arrays clone fastest. */
export type FlatItems = readonly (number | string | boolean | null)[]

const itemWidth = 13

/** Packs items for the way to the worker. */
export function flattenItems(items: readonly AppendItem[]): FlatItems {
  const flat: (number | string | boolean | null)[] = []
  for (const item of items) {
    flat.push(item.ticket, item.timeMs, item.namespace, item.kind, item.call, item.principal, item.subject)
    flat.push(item.allows, item.text, item.input, item.output, item.engineInput, item.redactions)
  }
  return flat
}

/** Unpacks what `flattenItems` packed. */
export function restoreItems(flat: FlatItems): AppendItem[] {
  const items: AppendItem[] = []
  for (let at = 0; at < flat.length; at += itemWidth) {
    // One by one: taking the array apart by its pattern costs as much as all that came before.
    const item = {
      ticket: flat[at],
      timeMs: flat[at + 1],
      namespace: flat[at + 2],
      kind: flat[at + 3],
      call: flat[at + 4],
      principal: flat[at + 5],
      subject: flat[at + 6],
      allows: flat[at + 7],
      text: flat[at + 8],
      input: flat[at + 9],
      output: flat[at + 10],
      engineInput: flat[at + 11],
      redactions: flat[at + 12],
    }
    items.push(item as AppendItem)
  }
  return items
}

/** Main thread to worker. Every message but `append` carries one ticket and gets one answer. */
export type WorkerRequest =
  | { readonly kind: 'append'; readonly items: FlatItems }
  | {
      readonly kind: 'query'
      readonly ticket: number
      readonly sql: string
      readonly parameters: readonly SQLInputValue[]
    }
  | { readonly kind: 'recheck'; readonly ticket: number }
  /** Of the log on PostgreSQL. */
  | { readonly kind: 'settle'; readonly ticket: number }
  | { readonly kind: 'rotate-key'; readonly ticket: number; readonly timeMs: number }
  | { readonly kind: 'keep'; readonly ticket: number; readonly task: KeepingTask; readonly nowMs: number }
  | { readonly kind: 'close'; readonly ticket: number }

/** Where the records of one batch went. The arrays run in parallel. */
export interface BatchAnswer {
  readonly tickets: number[]
  readonly ids: string[]
  readonly indexes: number[]
}

/** Answer to a query of the state database. */
export interface QueryResult {
  readonly rows: Record<string, unknown>[]
  readonly changes: number
}

/** Worker to main thread. */
export type WorkerMessage =
  /** `abandoned`: calls that were ended when the log was opened. */
  | { readonly kind: 'ready'; readonly abandoned: number }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string; readonly detail: string }
  | { readonly kind: 'appended'; readonly batch: BatchAnswer }
  /** Nothing of the batch is recorded. */
  | { readonly kind: 'refused'; readonly tickets: readonly number[]; readonly reason: string }
  /** `reason` is `null` while the log can be written. */
  | { readonly kind: 'health'; readonly reason: string | null }
  | { readonly kind: 'answer'; readonly ticket: number; readonly result: QueryResult | null }
  /** To `rotate-key`: `null` where the former key is still in force, with a sentence for the operator where there is one. */
  | {
      readonly kind: 'rotated'
      readonly ticket: number
      readonly rotation: KeyRotation | null
      readonly why?: string | undefined
    }
  | { readonly kind: 'kept'; readonly ticket: number; readonly answer: KeepingAnswer }
  /** Nothing of the task was done. */
  | { readonly kind: 'keep-failed'; readonly ticket: number; readonly reason: string }
  | { readonly kind: 'query-failed'; readonly ticket: number; readonly errcode: number; readonly message: string }
