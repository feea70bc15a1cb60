import { McpworksError, type Digest } from '../../kernel/index.ts'
import type { MisfitRule, PolicyProblem, PolicySource, PolicyStore } from '../../policy/index.ts'
import { sourceOf } from './policy-handlers.ts'
import { policySources } from './policy-sources.ts'

/** Policies to try: files as they were sent, or the name of a set that the namespace had. Exactly one of the two. */
export interface TriedInput {
  readonly namespace: string
  readonly files: readonly { path: string; text?: string | undefined; base64?: string | undefined }[] | null
  readonly policySet: Digest | null
}

/** Policies to try, as the engine takes them. */
export interface TriedPolicies {
  readonly sources: readonly PolicySource[]
  readonly onMisfit: MisfitRule
  /** Problems at the places in the files as people wrote them. */
  readonly placed: (problems: readonly PolicyProblem[]) => PolicyProblem[]
}

/**
 * The policies that are tried. Files must fit the tools of today, as if they were put in force; a set that there was
 * may deny where it does not fit them.
 * @throws McpworksError `invalid_request`, `policy_invalid`, `unknown_object`
 */
export async function triedPolicies(
  { namespace, files, policySet }: TriedInput,
  policyStore: Pick<PolicyStore, 'find'>,
): Promise<TriedPolicies> {
  if ((files === null) === (policySet === null))
    throw new McpworksError('invalid_request', { message: 'Give either policy files or a policy set.' })
  if (files !== null) {
    const given = policySources(namespace, files.map(sourceOf))
    if (!given.ok) throw new McpworksError('policy_invalid', { data: { problems: given.problems } })
    return { sources: given.sources, onMisfit: 'refuse', placed: given.placed }
  }
  const stored = policySet === null ? null : await policyStore.find(namespace, policySet)
  if (stored === null)
    throw new McpworksError('unknown_object', {
      message: `${namespace} never had the policies ${policySet}. "mcpworks policy history" lists those that it had.`,
    })
  return { sources: stored.sources, onMisfit: 'deny-affected', placed: (problems) => [...problems] }
}
