import type { TokenGrantAnswer } from '../authorization-server/token-grant.ts'

/** A refusal of a grant (RFC 6749 section 5.2, RFC 8707 section 2). */
export type GrantRefusal = TokenGrantAnswer & { readonly ok: false }

/** Refuses a grant. `reason` goes to the record alone, and is the description where nothing more can be said. */
export function refuseGrant(error: GrantRefusal['error'], description: string, reason = description): GrantRefusal {
  return { ok: false, error, description, reason }
}
