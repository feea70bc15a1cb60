import { McpworksError, type Clock, type Digest } from '../../kernel/index.ts'
import type { PolicyEngine, PolicyStore, StoredPolicySet } from '../../policy/index.ts'
import type { HostedState } from '../hosted-state.ts'
import type { Handlers } from './handler.ts'
import { refuseLockout } from './refuse-lockout.ts'

type PolicyVersionHandlers = Pick<Handlers, 'policy.history' | 'policy.show' | 'policy.activate'>

/** What the versions of policies stand on. */
export interface PolicyVersionPorts {
  readonly policy: Pick<PolicyEngine, 'policySetHash'>
  readonly policyStore: PolicyStore
  readonly hosted: HostedState
  readonly clock: Clock
}

/** Policy sets that are or were in force. They never change, and none is ever deleted. */
export function policyVersionHandlers({
  policy,
  policyStore,
  hosted,
  clock,
}: PolicyVersionPorts): PolicyVersionHandlers {
  async function mustFind(namespace: string, policySetHash: Digest): Promise<StoredPolicySet> {
    const found = await policyStore.find(namespace, policySetHash)
    if (found !== null) return found
    throw new McpworksError('unknown_object', {
      message: `${namespace} never had the policies ${policySetHash}. "mcpworks policy history" lists those that it had.`,
    })
  }

  return {
    async 'policy.history'({ namespace }) {
      const activations = await policyStore.listActivations(namespace)
      return { activations: activations.map((activation) => ({ ...activation })) }
    },
    async 'policy.show'({ namespace, policySet }) {
      const inForce = policy.policySetHash(namespace)
      const wanted = policySet ?? inForce
      if (wanted === null) return { policySetHash: null, inForce: false, files: [] }
      const { sources, ...activation } = await mustFind(namespace, wanted)
      return {
        ...activation,
        inForce: wanted === inForce,
        files: sources.map(({ file, text }) => ({ path: file, text })),
      }
    },
    async 'policy.activate'({ namespace, policySet, base, comment }, invocation) {
      const inForce = policy.policySetHash(namespace)
      if (base !== null && base !== inForce) {
        throw new McpworksError('changed_meanwhile', {
          message: `In force in ${namespace} is ${inForce ?? 'nothing'}, not ${base}; nothing was changed. See "mcpworks policy history".`,
        })
      }
      const { sources } = await mustFind(namespace, policySet)
      const change = { functions: hosted.functions(namespace), policies: sources }
      const by = invocation.caller.principal.id
      if (policySet !== inForce) {
        refuseLockout(change, invocation, { hosted, clock })
        await hosted.replace(namespace, { ...change, by, comment })
      }
      return { policySetHash: policySet, replaces: inForce }
    },
  }
}
