import type { Approval } from './approval.ts'

/** What a person decided. */
export interface StoredVerdict {
  readonly status: 'approved' | 'denied'
  readonly by: string
  readonly atMs: number
  readonly expiresAtMs: number
  readonly comment: string
}

/** A link by which one user decides on one request. Times are Unix milliseconds. */
export interface StoredApprovalLink {
  readonly id: string
  readonly namespace: string
  readonly approval: string
  readonly userId: string
  readonly madeBy: string
  readonly madeAtMs: number
  readonly expiresAtMs: number
  readonly usedAtMs: number | null
}

/** How many requests there are already. */
export interface ApprovalCounts {
  readonly pendingOfRequester: number
  readonly pendingInNamespace: number
  /** Made by the requester since a moment, whatever became of them. */
  readonly madeSince: number
}

/** Where requests for approval are kept. What resolved is durable. Every change is atomic, whoever else changes the same. */
export interface ApprovalStore {
  /** `false` where one with the same binding is open. */
  insert(approval: Approval): Promise<boolean>
  find(namespace: string, id: string): Promise<Approval | null>
  /** The open one with that binding which has not expired. */
  findOpen(namespace: string, binding: string, nowMs: number): Promise<Approval | null>
  /** Newest first. `openOnly`: those that wait, and those decided on that can still be of use. */
  list(namespace: string, options: { openOnly: boolean; nowMs: number; limit: number }): Promise<Approval[]>
  count(namespace: string, requesterId: string, sinceMs: number, nowMs: number): Promise<ApprovalCounts>
  /** True for exactly one verdict, and only on what waits and has not expired. A denial forgets the arguments. */
  decide(namespace: string, id: string, verdict: StoredVerdict): Promise<boolean>
  /** The approval with that binding, to exactly one caller; from then on it is spent, and its arguments are forgotten. */
  spend(namespace: string, binding: string, call: string, nowMs: number): Promise<Approval | null>
  /** Ends what has expired, in all namespaces, and forgets its arguments. */
  expire(nowMs: number): Promise<void>
  insertLink(link: StoredApprovalLink): Promise<void>
  findLink(id: string): Promise<StoredApprovalLink | null>
  /** True for exactly one caller. */
  useLink(id: string, nowMs: number): Promise<boolean>
  /** Removes requests that were made before a moment and are not open, and links that have expired before it. */
  sweep(madeBeforeMs: number): Promise<void>
}
