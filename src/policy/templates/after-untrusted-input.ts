import { coveredCalls } from './case-callers.ts'
import type { PolicyTemplate } from './policy-template.ts'
import { allValues, oneValue } from './template-values.ts'

/** What a stranger wrote must not make the agent write. */
export const afterUntrustedInput: PolicyTemplate = {
  name: 'no-writes-after-untrusted-input',
  title: 'No writes once the run has read what strangers wrote',
  about: [
    'A run gets the label when it calls a tool that declares it (labels in service.yaml) and keeps',
    'it to its end, whatever credential the agent takes: text in a mail or on a page that tells the',
    'agent to act finds nothing to act with. Only tools that declare the label give it, so look',
    'that every tool does which reads what strangers wrote.',
  ],
  parameters: [
    { name: 'who', kind: 'who', what: 'Whose runs.', default: 'anyone', example: 'group assistants' },
    { name: 'writes', kind: 'tools', what: 'The tools that write.', default: null, example: 'mail-send, crm-update' },
    {
      name: 'label',
      kind: 'label',
      what: 'The label that the tools declare.',
      default: 'untrusted-input',
      example: 'untrusted-input',
    },
  ],
  content({ id, values, tools }) {
    const who = allValues(values, 'who')
    const writes = allValues(values, 'writes')
    const label = oneValue(values, 'label')
    const cases = coveredCalls(id, who, writes, tools).flatMap(({ caller, tool, args, rule }) => [
      {
        name: `${tool} is refused once the run is labelled, rule ${rule}`,
        ...caller,
        tool,
        args,
        labels: [label],
        expect: 'deny' as const,
        rule,
      },
      { name: `${tool} is not refused before that, rule ${rule}`, ...caller, tool, args, labels: [], notRule: rule },
    ])
    const rule = {
      id,
      deny: [...who],
      tools: [...writes],
      when: `labels.contains("${label}")`,
      reason: 'This run has read text from outside, so it may not write.',
    }
    return { rules: [rule], cases }
  },
}
