import type { AccessTokenFacts, Caller } from '../../kernel/index.ts'
import type { Run } from './run.ts'
import type { RunLedger } from './run-ledger.ts'

/**
 * The run of a caller: that of the principal whose rights it uses, together with those of everybody who acts with its
 * token. What is read on behalf of somebody else reaches whoever acts, and what whoever acts has read speaks out of what
 * it asks for on behalf of somebody else: so a call has the labels of all, and what it gathers goes to all. None gets
 * what another one had before. The id is that of the principal's run.
 */
export function enterSharedRun(
  runs: RunLedger,
  namespace: string,
  { principal, authentication }: Pick<Caller, 'principal' | 'authentication'>,
): { readonly run: Run; leave(): void } {
  const own = runs.enter(namespace, principal.id)
  const names = new Set(authentication.token === undefined ? [] : actorNames(authentication.token))
  names.delete(principal.id)
  if (names.size === 0) return own
  const others = [...names].map((name) => runs.enter(namespace, name))
  return {
    run: shared(
      own.run,
      others.map(({ run }) => run),
    ),
    leave() {
      for (const entered of [own, ...others]) entered.leave()
    },
  }
}

/** Who acts, by names that no principal has where another issuer says so: its subjects are not ours. */
function actorNames({ actors, actorCredentials, issuer }: AccessTokenFacts): readonly string[] {
  return actorCredentials === undefined ? actors.map((actor) => `${issuer} ${actor}`) : actors
}

function shared(own: Run, others: readonly Run[]): Run {
  const all = [own, ...others]
  return {
    id: own.id,
    get labels() {
      return [...new Set(all.flatMap(({ labels }) => labels))].sort()
    },
    gather(labels) {
      for (const run of all) run.gather(labels)
    },
    async kept() {
      await Promise.all(all.map((run) => run.kept()))
    },
  }
}
