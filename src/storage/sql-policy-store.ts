import { sha256, type Digest } from '../kernel/index.ts'
import type { PolicySource, PolicyStore, StoredPolicySet } from '../policy/index.ts'
import { withStateErrors, type StateDatabase } from './state-database.ts'

/** Policy sets and their activations in the state database. */
export class SqlPolicyStore implements PolicyStore {
  readonly #database: StateDatabase

  constructor(database: StateDatabase) {
    this.#database = database
  }

  loadActive(): Promise<StoredPolicySet[]> {
    return withStateErrors(async () => {
      const rows = await this.#activations()
        .where('ordinal', '=', (from) =>
          from
            .selectFrom('policy_activations as newer')
            .select((column) => column.fn.max('newer.ordinal').as('newest'))
            .whereRef('newer.namespace', '=', 'policy_activations.namespace'),
        )
        .orderBy('policy_activations.namespace')
        .execute()
      return rows.map(storedPolicySet)
    })
  }

  activate(set: StoredPolicySet): Promise<void> {
    const { namespace, policySetHash, sources } = set
    return withStateErrors(() =>
      this.#database.transaction().execute(async (transaction) => {
        const sourcesJson = JSON.stringify(sources.map(({ file, text }) => ({ file, text })))
        await transaction
          .insertInto('policy_sets')
          .values({ namespace, policy_set_hash: policySetHash, sources_json: sourcesJson })
          .onConflict((conflict) => conflict.doNothing())
          .execute()
        const last = await transaction
          .selectFrom('policy_activations')
          .select((column) => column.fn.max('ordinal').as('ordinal'))
          .where('namespace', '=', namespace)
          .executeTakeFirst()
        await transaction
          .insertInto('policy_activations')
          .values({
            namespace,
            ordinal: (last?.ordinal ?? 0) + 1,
            policy_set_hash: policySetHash,
            activated_at_ms: set.activatedAtMs,
            activated_by: set.activatedBy,
            comment: set.comment,
          })
          .execute()
      }),
    )
  }

  find(namespace: string, policySetHash: Digest): Promise<StoredPolicySet | null> {
    return withStateErrors(async () => {
      const row = await this.#activations()
        .where('policy_activations.namespace', '=', namespace)
        .where('policy_activations.policy_set_hash', '=', policySetHash)
        .orderBy('ordinal', 'desc')
        .limit(1)
        .executeTakeFirst()
      return row === undefined ? null : storedPolicySet(row)
    })
  }

  keepBuiltIn(text: string): Promise<void> {
    return withStateErrors(() =>
      this.#database.transaction().execute(async (transaction) => {
        const last = await transaction
          .selectFrom('built_in_policies')
          .select((column) => column.fn.max('ordinal').as('ordinal'))
          .executeTakeFirst()
        await transaction
          .insertInto('built_in_policies')
          .values({ text_hash: sha256(text), ordinal: (last?.ordinal ?? 0) + 1, text })
          .onConflict((conflict) => conflict.doNothing())
          .execute()
      }),
    )
  }

  listBuiltIn(): Promise<string[]> {
    return withStateErrors(async () => {
      const rows = await this.#database
        .selectFrom('built_in_policies')
        .select('text')
        .orderBy('ordinal', 'desc')
        .execute()
      return rows.map(({ text }) => text)
    })
  }

  listActivations(namespace: string): ReturnType<PolicyStore['listActivations']> {
    return withStateErrors(async () => {
      const rows = await this.#database
        .selectFrom('policy_activations')
        .selectAll()
        .where('namespace', '=', namespace)
        .orderBy('ordinal', 'desc')
        .execute()
      return rows.map((row, position) => ({
        policySetHash: row.policy_set_hash as Digest,
        activatedAtMs: row.activated_at_ms,
        activatedBy: row.activated_by,
        comment: row.comment,
        active: position === 0,
      }))
    })
  }

  #activations() {
    return this.#database
      .selectFrom('policy_activations')
      .innerJoin('policy_sets', (join) =>
        join
          .onRef('policy_sets.namespace', '=', 'policy_activations.namespace')
          .onRef('policy_sets.policy_set_hash', '=', 'policy_activations.policy_set_hash'),
      )
      .select([
        'policy_activations.namespace',
        'policy_activations.policy_set_hash',
        'sources_json',
        'activated_at_ms',
        'activated_by',
        'comment',
      ])
  }
}

function storedPolicySet(row: {
  namespace: string
  policy_set_hash: string
  sources_json: string
  activated_at_ms: number
  activated_by: string
  comment: string
}): StoredPolicySet {
  return {
    namespace: row.namespace,
    policySetHash: row.policy_set_hash as Digest,
    sources: JSON.parse(row.sources_json) as PolicySource[],
    activatedAtMs: row.activated_at_ms,
    activatedBy: row.activated_by,
    comment: row.comment,
  }
}
