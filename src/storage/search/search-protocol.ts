import type { SearchPage, SearchQuery } from '../../audit/index.ts'
import type { ErrorCode } from '../../kernel/index.ts'
import type { LogSessionOptions } from '../postgres/log/log-session.ts'

/** What the thread is started with. */
export interface SearchSettings {
  /** The log that is followed: the file of one, or the database that has it. */
  readonly log: string | LogSessionOptions
  readonly searchPath: string
}

/** Main thread to thread. */
export type SearchRequest =
  | { readonly kind: 'search'; readonly ticket: number; readonly query: SearchQuery }
  | { readonly kind: 'close' }

/** Thread to main thread. */
export type SearchMessage =
  | { readonly kind: 'found'; readonly ticket: number; readonly page: SearchPage }
  | { readonly kind: 'failed'; readonly ticket: number; readonly code: ErrorCode; readonly detail: string }
