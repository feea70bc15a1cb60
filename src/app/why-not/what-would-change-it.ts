import type { ConditionText, Explanation } from '../../policy/index.ts'
import type { RefusingRule } from './refusal-explanation.ts'

/** What is known of a refusal. */
export interface KnownRefusal {
  readonly basis: string
  readonly rules: readonly RefusingRule[]
  readonly nearMisses: Explanation['nearMisses']
  readonly elsewhere: Explanation['elsewhere']
  /** The request for approval that the call made or found. */
  readonly approval: string | null
  readonly retryAfterSeconds: number | null
  /** Sentences of errors, from the record. */
  readonly errors: readonly string[]
}

/** How many permits that came close are spoken of. */
const maxPermits = 3

/** What would have the same call allowed, the nearest to the caller first. Quotes policies and nothing of the call. */
export function whatWouldChangeIt(known: KnownRefusal): string[] {
  const { approval, retryAfterSeconds } = known
  return [
    ...(retryAfterSeconds === null ? [] : [`Waiting ${retryAfterSeconds} seconds, and making the same call then.`]),
    ...(approval === null ? [] : [`A person's approval: request ${approval} was made for exactly this call.`]),
    ...known.rules.filter(({ effect }) => effect === 'forbid').flatMap(changeOfForbid),
    ...known.nearMisses.slice(0, maxPermits).map(changeOfMiss),
    ...changeOfScope(known),
    ...changeOfError(known),
  ]
}

function changeOfForbid({ id, remedy, conditions }: RefusingRule): string[] {
  const asked = remedy === null || remedy === 'approval' ? [] : [`What the author of ${id} says: ${remedy}`]
  if (conditions.length === 0)
    return [...asked, `Another rule in the place of ${id}, which forbids it in any circumstances.`]
  return [...asked, `A call of which one of these is not so: ${conditions.map(said).join('; ')} (${id}).`]
}

function changeOfMiss({ policyId, failed }: Explanation['nearMisses'][number]): string {
  return `A call of which this is so: ${failed.map(said).join('; ')} (${policyId}).`
}

/** Nothing about the call itself would help where no permit is for this caller and this thing. */
function changeOfScope({ basis, nearMisses, elsewhere }: KnownRefusal): string[] {
  if (basis !== 'default-deny' || nearMisses.length > 0) return []
  const others =
    elsewhere.length === 0 ? '' : `, such as one like ${elsewhere.map(({ policyId }) => policyId).join(', ')}`
  return [`A policy that permits it${others}: none has this caller and this tool in its scope.`]
}

function changeOfError({ basis, errors }: KnownRefusal): string[] {
  return basis === 'error' ? [`Arguments, or policies, for which this is not so: ${errors.join(' ')}`] : []
}

function said({ words, condition }: ConditionText): string {
  return words ?? condition
}
