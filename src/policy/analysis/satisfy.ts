import { narrowed, type Domains } from './domain.ts'
import { negated, type Formula } from './formula.ts'

/** How many ways of being true a search offers at most. */
const maxSolutions = 200

/** How deep choices may lie in choices. Each level is a call in a call. */
const maxChoiceDepth = 1_000

/**
 * What looking through policies may still cost, in characters of policy text that are read: some 60 ns each. Whoever reads
 * conditions takes their length from it before; a search takes from it by what it goes through. It holds up everybody else
 * meanwhile, so that a bound on choices is not enough: each choice costs as much as there are conditions.
 */
export interface WorkBudget {
  left: number
}

/** What all questions of one answer may cost together: a second or two. */
export const workOfAnswer = 20_000_000

/** What one formula that a search goes through costs, beside what is known by then. */
const formulaCost = 8

/** What a search may still spend: choices that it looks into, and work. Several can share one, so that all together are bounded. */
export interface SearchBudget {
  left: number
  readonly work: WorkBudget
}

/** Whether nothing more can be looked into. */
export function isSpent({ left, work }: SearchBudget): boolean {
  return left <= 0 || work.left <= 0
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
  function search(rest: readonly Formula[], domains: Domains, depth: number): boolean {
    budget.left -= 1
    budget.work.left -= rest.length
    if (budget.left < 0 || budget.work.left < 0 || offered >= maxSolutions || depth > maxChoiceDepth) {
      cut = true
      return true
    }
    let known = domains
    const choices: Formula[] = []
    const open = [...rest]
    for (let formula = open.pop(); formula !== undefined; formula = open.pop()) {
      budget.work.left -= formulaCost
      if (formula.kind === 'or' && formula.parts.length !== 1) choices.push(formula)
      else if (formula.kind !== 'atom') open.push(...formula.parts)
      else {
        budget.work.left -= known.size
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
    return choice.parts.some((part) => search([...choices, part], known, depth + 1))
  }

  search([...formulas].toReversed(), new Map(), 0)
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
