import type { Approval, ApprovalCounts, ApprovalStore, StoredApprovalLink, StoredVerdict } from '../approvals/index.ts'
import type { Digest } from '../kernel/index.ts'
import { withStateErrors, type StateDatabase } from './state-database.ts'
import type { StateTables } from './state-tables.ts'

type ApprovalRow = StateTables['approvals']

const open = ['pending', 'approved', 'denied'] as const

/** Requests for approval in the state database. Each change is one statement, so that one of several at once succeeds. */
export class SqlApprovalStore implements ApprovalStore {
  readonly #database: StateDatabase

  constructor(database: StateDatabase) {
    this.#database = database
  }

  insert(approval: Approval): Promise<boolean> {
    return withStateErrors(async () => {
      const insert = this.#database.insertInto('approvals').values(rowOf(approval))
      const { numInsertedOrUpdatedRows } = await insert
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst()
      return numInsertedOrUpdatedRows === 1n
    })
  }

  find(namespace: string, id: string): Promise<Approval | null> {
    return withStateErrors(async () => {
      const query = this.#database.selectFrom('approvals').selectAll().where('namespace', '=', namespace)
      const row = await query.where('id', '=', id).executeTakeFirst()
      return row === undefined ? null : approvalOf(row)
    })
  }

  findOpen(namespace: string, binding: string, nowMs: number): Promise<Approval | null> {
    return withStateErrors(async () => {
      const query = this.#database.selectFrom('approvals').selectAll().where('namespace', '=', namespace)
      const row = await query
        .where('binding', '=', binding)
        .where('status', 'in', open)
        .where('expires_at_ms', '>', nowMs)
        .executeTakeFirst()
      return row === undefined ? null : approvalOf(row)
    })
  }

  list(
    namespace: string,
    { openOnly, nowMs, limit }: { openOnly: boolean; nowMs: number; limit: number },
  ): Promise<Approval[]> {
    return withStateErrors(async () => {
      const query = this.#database.selectFrom('approvals').selectAll().where('namespace', '=', namespace)
      const chosen = openOnly ? query.where('status', 'in', open).where('expires_at_ms', '>', nowMs) : query
      const rows = await chosen.orderBy('requested_at_ms', 'desc').orderBy('id', 'desc').limit(limit).execute()
      return rows.map(approvalOf)
    })
  }

  count(namespace: string, requesterId: string, sinceMs: number, nowMs: number): Promise<ApprovalCounts> {
    return withStateErrors(async () => {
      const all = this.#database
        .selectFrom('approvals')
        .select((select) => select.fn.countAll<number>().as('count'))
        .where('namespace', '=', namespace)
      const pending = all.where('status', '=', 'pending').where('expires_at_ms', '>', nowMs)
      const [inNamespace, ofRequester, made] = await Promise.all([
        pending.executeTakeFirstOrThrow(),
        pending.where('requester_id', '=', requesterId).executeTakeFirstOrThrow(),
        all.where('requester_id', '=', requesterId).where('requested_at_ms', '>', sinceMs).executeTakeFirstOrThrow(),
      ])
      return { pendingInNamespace: inNamespace.count, pendingOfRequester: ofRequester.count, madeSince: made.count }
    })
  }

  decide(namespace: string, id: string, { status, by, atMs, expiresAtMs, comment }: StoredVerdict): Promise<boolean> {
    return withStateErrors(async () => {
      const update = this.#database.updateTable('approvals').set({
        status,
        decided_by: by,
        decided_at_ms: atMs,
        expires_at_ms: expiresAtMs,
        comment,
        ...(status === 'denied' ? { sealed_arguments: null } : {}),
      })
      const { numUpdatedRows } = await update
        .where('namespace', '=', namespace)
        .where('id', '=', id)
        .where('status', '=', 'pending')
        .where('expires_at_ms', '>', atMs)
        .executeTakeFirst()
      return numUpdatedRows === 1n
    })
  }

  spend(namespace: string, binding: string, call: string, nowMs: number): Promise<Approval | null> {
    return withStateErrors(async () => {
      const update = this.#database
        .updateTable('approvals')
        .set({ status: 'spent', spent_at_ms: nowMs, spent_by_call: call, sealed_arguments: null })
      const row = await update
        .where('namespace', '=', namespace)
        .where('binding', '=', binding)
        .where('status', '=', 'approved')
        .where('expires_at_ms', '>', nowMs)
        .returningAll()
        .executeTakeFirst()
      return row === undefined ? null : approvalOf(row)
    })
  }

  expire(nowMs: number): Promise<void> {
    return withStateErrors(async () => {
      await this.#database
        .updateTable('approvals')
        .set({ status: 'expired', sealed_arguments: null })
        .where('status', 'in', open)
        .where('expires_at_ms', '<=', nowMs)
        .execute()
    })
  }

  insertLink(link: StoredApprovalLink): Promise<void> {
    return withStateErrors(async () => {
      await this.#database
        .insertInto('approval_links')
        .values({
          id: link.id,
          namespace: link.namespace,
          approval_id: link.approval,
          user_id: link.userId,
          made_by: link.madeBy,
          made_at_ms: link.madeAtMs,
          expires_at_ms: link.expiresAtMs,
          used_at_ms: link.usedAtMs,
        })
        .execute()
    })
  }

  findLink(id: string): Promise<StoredApprovalLink | null> {
    return withStateErrors(async () => {
      const row = await this.#database.selectFrom('approval_links').selectAll().where('id', '=', id).executeTakeFirst()
      return row === undefined ? null : linkOf(row)
    })
  }

  useLink(id: string, nowMs: number): Promise<boolean> {
    return withStateErrors(async () => {
      const { numUpdatedRows } = await this.#database
        .updateTable('approval_links')
        .set({ used_at_ms: nowMs })
        .where('id', '=', id)
        .where('used_at_ms', 'is', null)
        .where('expires_at_ms', '>', nowMs)
        .executeTakeFirst()
      return numUpdatedRows === 1n
    })
  }

  sweep(madeBeforeMs: number): Promise<void> {
    return withStateErrors(async () => {
      await this.#database.deleteFrom('approval_links').where('expires_at_ms', '<', madeBeforeMs).execute()
      await this.#database
        .deleteFrom('approvals')
        .where('requested_at_ms', '<', madeBeforeMs)
        .where('status', 'not in', open)
        .execute()
    })
  }
}

function linkOf(row: StateTables['approval_links']): StoredApprovalLink {
  return {
    id: row.id,
    namespace: row.namespace,
    approval: row.approval_id,
    userId: row.user_id,
    madeBy: row.made_by,
    madeAtMs: row.made_at_ms,
    expiresAtMs: row.expires_at_ms,
    usedAtMs: row.used_at_ms,
  }
}

function approvalOf(row: ApprovalRow): Approval {
  return {
    namespace: row.namespace,
    id: row.id,
    binding: row.binding,
    status: row.status,
    requester: {
      type: row.requester_type,
      id: row.requester_id,
      actors: JSON.parse(row.actors_json) as string[],
    },
    door: row.door,
    tool: row.tool,
    service: row.service,
    definitionHash: row.definition_hash as Digest,
    codeHash: row.code_hash as Digest | null,
    rules: JSON.parse(row.rules_json) as string[],
    reasons: JSON.parse(row.reasons_json) as string[],
    call: row.call,
    sealedArguments: row.sealed_arguments,
    requestedAtMs: row.requested_at_ms,
    expiresAtMs: row.expires_at_ms,
    decidedBy: row.decided_by,
    decidedAtMs: row.decided_at_ms,
    comment: row.comment,
    spentAtMs: row.spent_at_ms,
    spentByCall: row.spent_by_call,
  }
}

function rowOf(approval: Approval): ApprovalRow {
  return {
    namespace: approval.namespace,
    id: approval.id,
    binding: approval.binding,
    status: approval.status,
    requester_type: approval.requester.type,
    requester_id: approval.requester.id,
    actors_json: JSON.stringify(approval.requester.actors),
    door: approval.door,
    tool: approval.tool,
    service: approval.service,
    definition_hash: approval.definitionHash,
    code_hash: approval.codeHash,
    rules_json: JSON.stringify(approval.rules),
    reasons_json: JSON.stringify(approval.reasons),
    call: approval.call,
    sealed_arguments: approval.sealedArguments,
    requested_at_ms: approval.requestedAtMs,
    expires_at_ms: approval.expiresAtMs,
    decided_by: approval.decidedBy,
    decided_at_ms: approval.decidedAtMs,
    comment: approval.comment,
    spent_at_ms: approval.spentAtMs,
    spent_by_call: approval.spentByCall,
  }
}
