import type { SQLInputValue } from 'node:sqlite'
import type { ErrorCode } from '../kernel/index.ts'

/** What the worker is started with. */
export interface WorkerSettings {
  readonly auditPath: string
  readonly statePath: string
  readonly publicKeyPath: string
  readonly masterKey: Uint8Array
  readonly startedAtMs: number
  readonly auditMaxPages: number | null
}

/** One record to append. The draft travels as JSON text, because cloning nested objects costs several times as much. */
export interface AppendItem {
  readonly ticket: number
  readonly timeMs: number
  /** The draft without its bodies. */
  readonly draft: string
  readonly input: string | null
  readonly output: string | null
  readonly engineInput: string | null
}

/** What `AppendItem` is on its way: its members in order, one item after the other. Flat arrays clone fastest. */
export type FlatItems = readonly (number | string | null)[]

const itemWidth = 6

/** Packs items for the way to the worker. */
export function flattenItems(items: readonly AppendItem[]): FlatItems {
  const flat: (number | string | null)[] = []
  for (const { ticket, timeMs, draft, input, output, engineInput } of items) {
    flat.push(ticket, timeMs, draft, input, output, engineInput)
  }
  return flat
}

/** Unpacks what `flattenItems` packed. */
export function restoreItems(flat: FlatItems): AppendItem[] {
  const items: AppendItem[] = []
  for (let at = 0; at < flat.length; at += itemWidth) {
    const [ticket, timeMs, draft, input, output, engineInput] = flat.slice(at, at + itemWidth)
    items.push({ ticket, timeMs, draft, input, output, engineInput } as AppendItem)
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
  | { readonly kind: 'close'; readonly ticket: number }

/** How the appends of one batch ended. The arrays of those recorded run in parallel. */
export interface BatchAnswer {
  readonly tickets: number[]
  readonly ids: string[]
  readonly indexes: number[]
  /** Drafts that cannot be recorded; the others of the batch were. */
  readonly refused: { readonly ticket: number; readonly code: ErrorCode; readonly detail: string }[]
}

/** Answer to a query of the state database. */
export interface QueryResult {
  readonly rows: Record<string, unknown>[]
  readonly changes: number
}

/** Worker to main thread. */
export type WorkerMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string; readonly detail: string }
  | { readonly kind: 'appended'; readonly batch: BatchAnswer }
  /** Nothing of the batch is recorded. */
  | { readonly kind: 'refused'; readonly tickets: readonly number[]; readonly reason: string }
  /** `reason` is `null` while the log can be written. */
  | { readonly kind: 'health'; readonly reason: string | null }
  | { readonly kind: 'answer'; readonly ticket: number; readonly result: QueryResult | null }
  | { readonly kind: 'query-failed'; readonly ticket: number; readonly errcode: number; readonly message: string }
