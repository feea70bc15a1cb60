import { McpworksError } from '../../kernel/index.ts'
import { factsOfCall } from '../../policy/index.ts'
import type { Handlers } from './handler.ts'
import { unknownNamespace } from './identity-handlers.ts'
import { asJson, sourceOf, type PolicyHandlerPorts } from './policy-handlers.ts'

/** Derives facts for people who write bindings. Changes nothing, decides nothing and keeps nothing of the arguments. */
export function factHandler({
  catalogue,
  hosted,
}: Pick<PolicyHandlerPorts, 'catalogue' | 'hosted'>): Pick<Handlers, 'policy.facts'> {
  return {
    async 'policy.facts'({ namespace, tool, arguments: args, files }) {
      if (!catalogue.hasNamespace(namespace)) throw unknownNamespace(namespace)
      if (!catalogue.list(namespace, 'tool').some((entry) => entry.name === tool))
        throw new McpworksError('unknown_object', { message: `Namespace ${namespace} has no tool ${tool}.` })
      const sources = files === null ? hosted.policySources(namespace) : files.map(sourceOf)
      const found = factsOfCall(sources, hosted.vocabulary(namespace), tool, args)
      if (!found.ok) throw new McpworksError('policy_invalid', { data: { problems: found.problems } })
      return asJson(found)
    },
  }
}
