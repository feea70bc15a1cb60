import type { Digest, JsonObject } from '../kernel/index.ts'

/**
 * What became of a request. `pending`, `approved` and `denied` are open until they expire: while one is open, the same
 * call asks for no other. `spent`: the call was let through, once.
 */
export type ApprovalStatus = 'pending' | 'approved' | 'denied' | 'spent' | 'expired'

/** A call that policy lets through only if a person approves exactly it. */
export interface WantedCall {
  readonly namespace: string
  readonly requester: {
    readonly type: 'agent' | 'user'
    readonly id: string
    /** Who acts with the requester's token, the present actor first. */
    readonly actors: readonly string[]
  }
  /** The door it came in by: what code asks for is another call than what its caller asks for. */
  readonly door: string
  readonly tool: string
  readonly service: string
  readonly definitionHash: Digest
  readonly codeHash: Digest | null
  readonly inputSchema: JsonObject | null
  readonly arguments: JsonObject
  /** The rules that ask for approval, and what they say. */
  readonly rules: readonly string[]
  readonly reasons: readonly string[]
  readonly call: string
}

/** A request for approval as it is kept. Times are Unix milliseconds. */
export interface Approval extends Omit<WantedCall, 'arguments' | 'inputSchema'> {
  readonly id: string
  /** Keyed digest of everything that a retry has to agree in. */
  readonly binding: string
  readonly status: ApprovalStatus
  /** The arguments as they are shown, sealed; `null` once nobody has to decide on them. */
  readonly sealedArguments: Uint8Array | null
  readonly requestedAtMs: number
  /** End of the wait, of the approval, or of the denial, as the status is. */
  readonly expiresAtMs: number
  readonly decidedBy: string | null
  readonly decidedAtMs: number | null
  /** In the words of whoever decided, for the requester. */
  readonly comment: string
  readonly spentAtMs: number | null
  readonly spentByCall: string | null
}

/** The status as of a moment: what is open and past its time has expired. */
export function statusAt(
  { status, expiresAtMs }: Pick<Approval, 'status' | 'expiresAtMs'>,
  nowMs: number,
): ApprovalStatus {
  const isOpen = status === 'pending' || status === 'approved' || status === 'denied'
  return isOpen && expiresAtMs <= nowMs ? 'expired' : status
}
