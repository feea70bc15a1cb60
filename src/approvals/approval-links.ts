import { createHmac, timingSafeEqual } from 'node:crypto'
import { canonicalJson, McpworksError, uuidv7, type Clock } from '../kernel/index.ts'
import type { ApprovalStore, StoredApprovalLink } from './approval-store.ts'
import type { ApprovalPorts } from './create-approvals.ts'

/** What a link is made for. */
export interface LinkOrder {
  readonly namespace: string
  readonly approval: string
  /** Who decides with it. */
  readonly userId: string
  readonly madeBy: string
  /** The call by which it was made. */
  readonly call: string
}

/** Links by which one user decides on one request, once, without signing in. Whoever has the link is that user for it. */
export interface ApprovalLinks {
  /**
   * Makes a link that is good as long as the request waits. The token is the only copy.
   * @throws McpworksError `unknown_object`, `changed_meanwhile`, `audit_unavailable`, `storage_unavailable`
   */
  make(order: LinkOrder): Promise<{ token: string; expiresAtMs: number }>
  /** The link of a token that is good at this moment; `null` otherwise. Uses nothing up, however often it is looked at. */
  open(token: string): Promise<StoredApprovalLink | null>
}

const tokenPattern = /^([0-9a-f-]{36})\.([A-Za-z0-9_-]{43})$/

/**
 * Makes them. A token is the id of a stored row and a signature (HMAC-SHA-256) over everything in it, so that neither who
 * reads the database nor who writes to it has a link.
 */
export function createApprovalLinks({
  store,
  record,
  keys,
  clock,
}: Pick<ApprovalPorts, 'record' | 'keys'> & { readonly store: ApprovalStore; readonly clock: Clock }): ApprovalLinks {
  const key = keys.derive('approval link')

  return {
    async make({ namespace, approval: approvalId, userId, madeBy, call }) {
      const nowMs = clock.nowMs()
      const approval = await store.find(namespace, approvalId)
      if (approval === null)
        throw new McpworksError('unknown_object', { message: `There is no request ${approvalId} in ${namespace}.` })
      const { expiresAtMs } = approval
      if (approval.status !== 'pending' || expiresAtMs <= nowMs)
        throw new McpworksError('changed_meanwhile', { message: `The request ${approvalId} does not wait any more.` })
      const id = uuidv7(nowMs)
      const link = { id, namespace, approval: approvalId, userId, madeBy, madeAtMs: nowMs, expiresAtMs, usedAtMs: null }
      await record({
        type: 'link-made',
        namespace,
        approval: approvalId,
        principal: madeBy,
        call,
        facts: { link: id, for: userId, expires: new Date(expiresAtMs).toISOString() },
      })
      await store.insertLink(link)
      return { token: `${id}.${signature(key, link)}`, expiresAtMs }
    },
    async open(token) {
      const [, id, given] = tokenPattern.exec(token) ?? []
      if (id === undefined || given === undefined) return null
      const link = await store.findLink(id)
      if (link === null) return null
      const [left, right] = [Buffer.from(signature(key, link)), Buffer.from(given)]
      if (left.length !== right.length || !timingSafeEqual(left, right)) return null
      return link.usedAtMs === null && link.expiresAtMs > clock.nowMs() ? link : null
    },
  }
}

function signature(key: Uint8Array, link: StoredApprovalLink): string {
  const { id, namespace, approval, userId, madeBy, expiresAtMs } = link
  const text = canonicalJson(['mcpworks approval link 1', id, namespace, approval, userId, madeBy, expiresAtMs])
  return createHmac('sha256', key).update(text).digest('base64url')
}
