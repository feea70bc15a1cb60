import type { JsonObject } from '../kernel/index.ts'
import type { Approval, WantedCall } from './approval.ts'

/** What a call that needs approval finds. */
export type Sought =
  /** A person approved exactly this call, and it was not made yet. It is spent by having been found. */
  | { readonly kind: 'granted'; readonly id: string; readonly by: string; readonly atMs: number }
  /** Somebody is to decide, until `expiresAtMs`. */
  | { readonly kind: 'pending'; readonly id: string; readonly expiresAtMs: number }
  /** A person said no. The same call asks nobody until `expiresAtMs`. */
  | { readonly kind: 'denied'; readonly id: string; readonly expiresAtMs: number; readonly comment: string }
  /** Nobody is asked: there are too many requests, or the call is too large to be shown to a person. */
  | { readonly kind: 'refused'; readonly sentence: string }

/** What policy has to know of a request to say who may decide on it. */
export interface ApprovalQuestion {
  readonly id: string
  readonly tool: string
  readonly service: string
  readonly requesterId: string
  /** The user who answers for the requester at this moment; `null` where there is none. */
  readonly ownerId: string | null
  /** The requester and everybody who acted with its token. None of them may decide. */
  readonly chain: readonly string[]
}

/** A decision of a person. */
export interface Verdict {
  readonly verdict: 'approved' | 'denied'
  readonly by: string
  /** Everybody who has a part in deciding: `by`, who acts for them, and who made the link that was used. */
  readonly deciders: readonly string[]
  /** The link by which they decide, which is used up; `null` where they came otherwise. */
  readonly link: string | null
  /** How they proved who they are, and the credential. */
  readonly method: string
  readonly credentialId: string
  readonly address: string
  /** The call by which they decided. */
  readonly call: string
  readonly comment: string
}

/** A request with its arguments, for those who may see it. */
export interface ShownApproval {
  readonly approval: Approval
  /** `null` once nobody has to decide on them: the decision log has them. */
  readonly arguments: JsonObject | null
}

/** Calls that wait for a person. */
export interface Approvals {
  /**
   * Spends the approval of exactly this call, if there is one; else makes a request, or finds the one there is. An
   * approval is given to one caller, once: it is spent, durably, before this resolves, whatever becomes of the call.
   * One that was asked for by fewer rules than ask for it by then is spent for nothing, and asked for anew.
   * @throws McpworksError `audit_unavailable`, `storage_unavailable`
   */
  seek(call: WantedCall): Promise<Sought>
  /** Whom to ask policy about; `null` where there is no such request. */
  about(namespace: string, id: string): Promise<ApprovalQuestion | null>
  find(namespace: string, id: string): Promise<ShownApproval | null>
  list(namespace: string, openOnly: boolean): Promise<readonly Approval[]>
  /**
   * Records what a person decided, and then lets it count. Who may decide is for policy to say, before.
   * @throws McpworksError `unknown_object`, `denied` for a requester who decides, `changed_meanwhile` where it is decided
   * or has expired, `audit_unavailable`, `storage_unavailable`
   */
  decide(namespace: string, id: string, verdict: Verdict): Promise<Approval>
}

/** What goes into the decision log, as a record of kind `approval`, durable before it counts. */
export interface ApprovalEvent {
  readonly type: 'requested' | 'approved' | 'denied' | 'link-made'
  readonly namespace: string
  readonly approval: string
  /** Who asked, decided, or made the link. */
  readonly principal: string
  /** The call that asked, or by which somebody decided. */
  readonly call: string
  readonly facts: JsonObject
}
