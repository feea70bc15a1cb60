import type { JsonObject } from '../../kernel/index.ts'

/** Members of a record that are searched by their whole value. */
export const searchFields = [
  'agent',
  'tool',
  'service',
  'rule',
  'effect',
  'basis',
  'status',
  'label',
  'door',
  'kind',
  'run',
  'parent',
] as const

/** One of them. */
export type SearchField = (typeof searchFields)[number]

/** What to find: everything that is given must fit. A call is found as one, by its decision and its outcome together. */
export interface SearchFilter {
  readonly namespace: string
  /** By field: principal ids, tool names, ids of rules. */
  readonly fields: Readonly<Partial<Record<SearchField, string>>>
  readonly call: string | null
  /** Whole words, each of which must stand in what records say in the clear. Never in arguments or results. */
  readonly text: string
  /** Of the decision; both included. */
  readonly fromMs: number | null
  readonly toMs: number | null
  /** Also the calls that read the log. */
  readonly reads: boolean
}

/** One page of a search. */
export interface SearchQuery extends SearchFilter {
  /** Only what lies before this position of the namespace's log; `null` for the newest. */
  readonly before: number | null
  /** 1-200. */
  readonly limit: number
}

/** A call, or a record that is about no call. Text in it comes partly from callers and tools. */
export interface SearchHit {
  /** Of its first record in the namespace's log. */
  readonly position: number
  readonly time: string
  /** Of the first record. */
  readonly kind: string
  readonly call: string
  readonly run: string
  readonly parentCall: string | null
  /** `null` where the record is about no call. */
  readonly called: {
    readonly principal: string
    readonly method: string
    readonly tool: string
    readonly service: string | null
    readonly door: string
    readonly effect: string
    readonly basis: string
    readonly rules: readonly { readonly id: string; readonly effect: string; readonly reason: string | null }[]
    readonly errors: readonly string[]
    /** `null` while it runs, and where it was refused. */
    readonly status: string | null
    readonly detail: string | null
    readonly durationMs: number | null
    readonly innerCalls: number
    readonly labels: readonly string[]
  } | null
  /** What a record that is about no call says; long lists of it are left out. */
  readonly event: JsonObject | null
  readonly records: readonly {
    readonly kind: string
    readonly index: number
    readonly id: string
    readonly time: string
  }[]
}

/** Newest first. */
export interface SearchPage {
  readonly hits: readonly SearchHit[]
  /** Where to go on (`before`); `null` where everything was looked at. */
  readonly next: number | null
  /** True where there was more to look at than one page may take, so that few hits do not mean that there are no more. */
  readonly stopped: boolean
  readonly index: SearchIndexState
}

/** How far the index is behind the log of the namespace. What others have in it is none of a reader's business. */
export interface SearchIndexState {
  /** Records that are not in it yet: they are not found. */
  readonly behind: number
  /** Records that are in it. */
  readonly indexed: number
}

/**
 * Finds calls and other records in the log. What finds them is derived from the log and kept beside it; every hit is
 * read from the log and compared with what was asked for, so that a damaged or forged index shows nothing false. It can
 * hide something: the log itself, read in order, is the whole truth.
 */
export interface LogSearch {
  /** @throws McpworksError `storage_unavailable` where neither the log nor a new index can be read and written */
  search(query: SearchQuery): Promise<SearchPage>
  close(): Promise<void>
}
