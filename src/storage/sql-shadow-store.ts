import type { Digest } from '../kernel/index.ts'
import type { PolicySource, ShadowPolicies, ShadowStore } from '../policy/index.ts'
import { withStateErrors, type StateDatabase } from './state-database.ts'

/** Shadow policies in the state database. */
export class SqlShadowStore implements ShadowStore {
  readonly #database: StateDatabase

  constructor(database: StateDatabase) {
    this.#database = database
  }

  load(): Promise<ShadowPolicies[]> {
    return withStateErrors(async () => {
      const rows = await this.#database.selectFrom('policy_shadows').selectAll().orderBy('namespace').execute()
      return rows.map((row) => ({
        namespace: row.namespace,
        policySetHash: row.policy_set_hash as Digest,
        sources: JSON.parse(row.sources_json) as PolicySource[],
        setAtMs: row.set_at_ms,
        setBy: row.set_by,
        comment: row.comment,
      }))
    })
  }

  put({ namespace, policySetHash, sources, setAtMs, setBy, comment }: ShadowPolicies): Promise<void> {
    const values = {
      policy_set_hash: policySetHash,
      sources_json: JSON.stringify(sources.map(({ file, text }) => ({ file, text }))),
      set_at_ms: setAtMs,
      set_by: setBy,
      comment,
    }
    return withStateErrors(async () => {
      await this.#database
        .insertInto('policy_shadows')
        .values({ namespace, ...values })
        .onConflict((conflict) => conflict.column('namespace').doUpdateSet(values))
        .execute()
    })
  }

  remove(namespace: string): Promise<void> {
    return withStateErrors(async () => {
      await this.#database.deleteFrom('policy_shadows').where('namespace', '=', namespace).execute()
    })
  }
}
