import { coveredCalls } from './case-callers.ts'
import type { PolicyTemplate } from './policy-template.ts'
import { allValues } from './template-values.ts'

/** Only credentials that are worth nothing to a thief. */
export const senderConstrained: PolicyTemplate = {
  name: 'sender-constrained',
  title: 'Only credentials that are bound to a key of the caller',
  about: [
    'A stolen API key or unbound token is refused for these tools; a token bound to a key of its',
    'holder (DPoP or mutual TLS) is taken. The agent still sees the tools, and is told why.',
  ],
  parameters: [
    { name: 'who', kind: 'who', what: 'Whose credentials.', default: 'anyone', example: 'group jobs' },
    { name: 'tools', kind: 'tools', what: 'For which tools.', default: 'any tool', example: 'service payments' },
  ],
  content({ id, values, tools }) {
    const who = allValues(values, 'who')
    const which = allValues(values, 'tools')
    const cases = coveredCalls(id, who, which, tools).flatMap(({ caller, tool, args, rule }) => [
      {
        name: `${tool} is refused to an unbound credential, rule ${rule}`,
        ...caller,
        tool,
        args,
        senderConstrained: false,
        expect: 'deny' as const,
        rule,
      },
      {
        name: `${tool} is not refused to a bound credential, rule ${rule}`,
        ...caller,
        tool,
        args,
        senderConstrained: true,
        notRule: rule,
      },
    ])
    const rule = {
      id,
      deny: [...who],
      tools: [...which],
      unless: 'authn.sender_constrained',
      reason: 'This needs a credential that is bound to a key of the caller (DPoP or mutual TLS).',
    }
    return { rules: [rule], cases }
  },
}
