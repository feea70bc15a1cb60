import { coveredCalls } from './case-callers.ts'
import type { PolicyTemplate } from './policy-template.ts'
import { allValues, oneValue } from './template-values.ts'

/** Calls a minute and a day. */
export const rateLimit: PolicyTemplate = {
  name: 'rate-limit',
  title: 'So many calls a minute, and so many a day',
  about: [
    'Counted for each agent: over all tools where "tools" is "any tool", and for each tool by',
    'itself where tools or services are named. A minute is the last 60 seconds, a day is one of',
    'UTC. Refused calls do not count.',
  ],
  parameters: [
    { name: 'who', kind: 'who', what: 'Who is limited.', default: 'anyone', example: 'group assistants' },
    { name: 'tools', kind: 'tools', what: 'Which calls.', default: 'any tool', example: 'mail-send' },
    { name: 'minute', kind: 'integer', what: 'Calls in a minute.', default: '60', example: '60' },
    { name: 'day', kind: 'integer', what: 'Calls in a day.', default: '5000', example: '5000' },
  ],
  content({ id, values, tools }) {
    const who = allValues(values, 'who')
    const which = allValues(values, 'tools')
    const counted = which.includes('any tool') ? 'agent' : 'tool'
    const limits = ['minute', 'day'].map((span) => ({
      span,
      name: `${id}-${span}`,
      figure: `calls_${span}`,
      limit: Number(oneValue(values, span)),
    }))
    return {
      rules: limits.map(({ span, name, figure, limit }) => ({
        id: name,
        deny: [...who],
        tools: [...which],
        when: `usage.${counted}.${figure} >= ${limit}`,
        reason: `At most ${limit} calls a ${span}${counted === 'tool' ? ' of this tool' : ''}.`,
      })),
      cases: limits.flatMap(({ span, name, figure, limit }) =>
        coveredCalls(name, who, which, tools).flatMap(({ caller, tool, args, rule }) => [
          {
            name: `${tool}: call ${limit} of a ${span} is not refused, rule ${rule}`,
            ...caller,
            tool,
            args,
            usage: { [counted]: { [figure]: limit - 1 } },
            notRule: rule,
          },
          {
            name: `${tool}: call ${limit + 1} of a ${span} is refused, rule ${rule}`,
            ...caller,
            tool,
            args,
            usage: { [counted]: { [figure]: limit } },
            expect: 'deny' as const,
            rule,
          },
        ]),
      ),
    }
  },
}
