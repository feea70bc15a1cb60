import { isServiceAccount } from './service-account.ts'
import { trustDomainOf } from './spiffe-id.ts'
import type { WorkloadIssuer } from './workload-issuer.ts'

/** What a binding must know of its issuer. */
export type BoundIssuer = Pick<WorkloadIssuer, 'issuer' | 'preset' | 'trustDomain'>

/** What is wrong with a binding that somebody wants to add, and what is right but should be thought about. */
export interface BindingCheck {
  readonly problems: readonly string[]
  readonly warnings: readonly string[]
}

const maxClaims = 20
const claimName = /^[A-Za-z][A-Za-z0-9_.:/-]{0,199}$/
/** Decided by the verification of every assertion, and the same for all workloads of an issuer. */
const verified = new Set(['iss', 'aud', 'exp', 'nbf', 'iat', 'jti'])

/**
 * Checks that a binding names workloads and not all that an issuer speaks for. The issuer's preset knows which claims
 * tell its workloads apart. What passes may still be wider than is meant: the warnings say where.
 */
export function checkBinding(issuer: BoundIssuer, match: Readonly<Record<string, string>>): BindingCheck {
  const problems = [...formProblems(match)]
  const warnings: string[] = []
  if (problems.length === 0) {
    const rules = presetRules[issuer.preset](match, issuer)
    problems.push(...rules.problems)
    warnings.push(...rules.warnings)
  }
  return { problems, warnings }
}

function formProblems(match: Readonly<Record<string, string>>): string[] {
  const entries = Object.entries(match)
  if (entries.length === 0) return ['Name at least one claim: a binding without claims would be everybody.']
  if (entries.length > maxClaims) return [`A binding asks for at most ${maxClaims} claims.`]
  const problems = entries.flatMap(([claim, pattern]) => {
    if (!claimName.test(claim)) return [`"${claim.slice(0, 60)}" cannot be the name of a claim.`]
    if (verified.has(claim)) return [`${claim} is checked with every assertion and tells no workloads apart.`]
    if (pattern === '' || pattern.length > 500 || /\p{Cc}/u.test(pattern))
      return [`The value of ${claim} must be 1-500 characters without control characters.`]
    if (pattern.split('*').length > 2) return [`The value of ${claim} has more than one *.`]
    if (pattern === '*') return [`${claim}=* says nothing; leave it out.`]
    return []
  })
  if (problems.length === 0 && entries.every(([, pattern]) => pattern.includes('*')))
    problems.push('Name at least one claim with its exact value.')
  return problems
}

type Rules = (match: Readonly<Record<string, string>>, issuer: BoundIssuer) => BindingCheck

const presetRules: Readonly<Record<WorkloadIssuer['preset'], Rules>> = {
  generic: (match) => ({
    problems: [],
    warnings: isExact(match['sub'])
      ? []
      : ['No exact sub: every subject of the issuer with these claims acts as this agent.'],
  }),
  kubernetes: (match) => ({
    problems: isServiceAccount(match['sub'])
      ? []
      : ['Give sub in full: system:serviceaccount:NAMESPACE:NAME, without *.'],
    warnings: [],
  }),
  'github-actions': (match) => ({
    problems: isRepository(match['repository']) ? [] : ['Give repository as OWNER/NAME; the owner has no *.'],
    warnings: [
      ...(match['repository']?.includes('*') === true ? ['Every repository of this form acts as this agent.'] : []),
      ...(match['ref'] === undefined && match['environment'] === undefined && match['job_workflow_ref'] === undefined
        ? ['Neither ref nor environment: every branch and every pull request from inside acts as this agent.']
        : []),
    ],
  }),
  spiffe: (match, { trustDomain }) => {
    const domain = isExact(match['sub']) ? trustDomainOf(match['sub']) : null
    if (domain === null) return { problems: ['Give sub in full: spiffe://TRUST-DOMAIN/PATH, without *.'], warnings: [] }
    return {
      problems:
        domain === trustDomain ? [] : [`sub is of ${domain}, and this issuer speaks for ${trustDomain ?? 'none'}.`],
      warnings: [],
    }
  },
}

function isExact(pattern: string | undefined): pattern is string {
  return pattern !== undefined && !pattern.includes('*')
}

function isRepository(repository: string | undefined): boolean {
  return repository !== undefined && /^[A-Za-z0-9][A-Za-z0-9-]{0,38}\/[A-Za-z0-9._*-]{1,100}$/.test(repository)
}
