import { narrowed, type Domains } from './domain.ts'
import { negated, type Formula } from './formula.ts'

/** How many ways of being true a search offers at most. */
const maxSolutions = 200

/** What a search may still spend: choices that it looks into. Several can share one, so that all together are bounded. */
export interface SearchBudget {
  left: number
}

/** How a search ended. */
export interface SearchEnd {
  /** True where everything was looked at: what was not offered is not there. */
  readonly complete: boolean
  readonly offered: number
}

/**
 * Looks for ways in which all formulas are true together and offers each until one is taken. Offers domains, not
 * values: what they allow may still not be so, because an atom was not understood. Where the search is complete and
 * nothing was offered, no request makes them all true.
 */
export function satisfy(
  formulas: readonly Formula[],
  budget: SearchBudget,
  take: (domains: Domains) => boolean,
): SearchEnd {
  let offered = 0
  let cut = false

  /** Whether the search is over. */
  function search(rest: readonly Formula[], domains: Domains): boolean {
    budget.left -= 1
    if (budget.left < 0 || offered >= maxSolutions) {
      cut = true
      return true
    }
    let known = domains
    const choices: Formula[] = []
    const open = [...rest]
    for (let formula = open.pop(); formula !== undefined; formula = open.pop()) {
      if (formula.kind === 'or' && formula.parts.length !== 1) choices.push(formula)
      else if (formula.kind !== 'atom') open.push(...formula.parts)
      else {
        const next = narrowed(known, formula.atom, formula.holds)
        if (next === null) return false
        known = next
      }
    }
    const choice = choices.pop()
    if (choice === undefined) {
      offered += 1
      return take(known)
    }
    if (choice.kind === 'atom') return false
    return choice.parts.some((part) => search([...choices, part], known))
  }

  search([...formulas].toReversed(), new Map())
  return { complete: !cut, offered }
}

/** Whether formulas can be true together: `no` is proven, `yes` is not, and `unknown` is where the search was cut short. */
export function canHold(formulas: readonly Formula[], budget: SearchBudget): 'yes' | 'no' | 'unknown' {
  const { complete, offered } = satisfy(formulas, budget, () => true)
  return offered > 0 ? 'yes' : complete ? 'no' : 'unknown'
}

/** That a permit applies and none of the forbids does. */
export function allowedBy(permit: Formula, forbids: readonly Formula[]): Formula[] {
  return [permit, ...forbids.map(negated)]
}
