import { coveredCalls } from './case-callers.ts'
import type { PolicyTemplate } from './policy-template.ts'
import { allValues } from './template-values.ts'

/** A person looks before something is done that cannot be undone. */
export const approval: PolicyTemplate = {
  name: 'approval',
  title: 'A person approves each destructive call',
  about: [
    'Such a call is refused until a person has approved exactly this call: the same agent, the',
    'same tool, the same arguments; once. Who may approve is said by policy as well.',
  ],
  parameters: [
    { name: 'who', kind: 'who', what: 'Who needs approval.', default: 'anyone', example: 'group assistants' },
    {
      name: 'tools',
      kind: 'tools',
      what: 'The destructive tools.',
      default: null,
      example: 'crm-delete, files-remove',
    },
  ],
  content({ id, values, tools }) {
    const who = allValues(values, 'who')
    const which = allValues(values, 'tools')
    const cases = coveredCalls(id, who, which, tools).flatMap(({ caller, tool, args, rule }) => [
      {
        name: `${tool} waits for a person, rule ${rule}`,
        ...caller,
        tool,
        args,
        approved: false,
        expect: 'deny' as const,
        rule,
      },
      {
        name: `${tool} is not refused when a person has approved it, rule ${rule}`,
        ...caller,
        tool,
        args,
        approved: true,
        notRule: rule,
      },
    ])
    const rule = {
      id,
      deny: [...who],
      tools: [...which],
      reason: 'This cannot be undone: a person must approve it first.',
      remedy: 'approval',
    }
    return { rules: [rule], cases }
  },
}
