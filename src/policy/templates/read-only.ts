import { callerOf, coveredCalls, toolsOf } from './case-callers.ts'
import type { PolicyTemplate } from './policy-template.ts'
import { sampleArguments } from './sample-arguments.ts'
import { allValues } from './template-values.ts'

/** An agent that may read and do nothing else, whatever other rules permit it. */
export const readOnly: PolicyTemplate = {
  name: 'read-only',
  title: 'An agent that reads and does nothing else',
  about: [
    'Whoever it is for may call the tools that are named here, and no other tool: not one that',
    'is added later, and not one that another rule permits to them. Which tools only read is for',
    'you to say: the hints that a tool gives of itself (readOnlyHint) are not believed.',
  ],
  parameters: [
    { name: 'who', kind: 'who', what: 'Who reads only.', default: null, example: 'group readers' },
    { name: 'reads', kind: 'tools', what: 'The tools that only read.', default: null, example: 'crm-find, crm-show' },
  ],
  content({ id, values, tools }) {
    const who = allValues(values, 'who')
    const reads = allValues(values, 'reads')
    const nothingElse = `${id}-nothing-else`
    const read = new Set(reads.flatMap((which) => toolsOf(which, tools)))
    const other = tools.find((tool) => !read.has(tool))
    const denied = who.flatMap((one, index) =>
      other === undefined
        ? []
        : [
            {
              name: `${one} may not call ${other.name}`,
              ...callerOf(one),
              tool: other.name,
              args: sampleArguments(other.inputSchema),
              expect: 'deny' as const,
              rule: who.length === 1 ? nothingElse : `${nothingElse}.${index + 1}`,
            },
          ],
    )
    const allowed = coveredCalls(id, who, reads, tools).map(({ caller, tool, args, rule }) => ({
      name: `${[...caller.groups, caller.agent][0] ?? ''} may read with ${tool}`,
      ...caller,
      tool,
      args,
      expect: 'allow' as const,
      rule,
    }))
    return {
      rules: [
        { id, allow: [...who], tools: [...reads], reason: 'This agent may read.' },
        {
          id: nothingElse,
          deny: [...who],
          tools: 'any tool',
          except: [...reads],
          reason: 'This agent reads only.',
        },
      ],
      cases: [...allowed, ...denied],
    }
  },
}
