import type { JsonObject } from '../../kernel/index.ts'
import { coveredCalls } from './case-callers.ts'
import type { PolicyTemplate, TemplateCase, TemplateTool } from './policy-template.ts'
import { allValues } from './template-values.ts'

/** Messages that stay in the company. */
export const recipientsInside: PolicyTemplate = {
  name: 'recipients-inside',
  title: 'Messages go to addresses of the company only',
  about: [
    'Who a message goes to is derived from its arguments (facts.yaml): name every argument that',
    'can hold a recipient, cc and bcc too. An address that two readers could understand',
    'differently is refused. Subdomains are other domains: name them.',
  ],
  parameters: [
    { name: 'who', kind: 'who', what: 'Who writes inside only.', default: 'anyone', example: 'group assistants' },
    { name: 'tools', kind: 'tool-names', what: 'The tools that send.', default: null, example: 'mail-send' },
    {
      name: 'from',
      kind: 'arguments',
      what: 'Their arguments that hold recipients.',
      default: null,
      example: 'to, cc, bcc',
    },
    { name: 'domains', kind: 'domains', what: 'The domains of the company.', default: null, example: 'acme.example' },
  ],
  content({ id, values, tools }) {
    const who = allValues(values, 'who')
    const sending = allValues(values, 'tools')
    const from = allValues(values, 'from')
    const domains = allValues(values, 'domains')
    const inside = `someone@${domains[0] ?? ''}`
    const outside = `someone@not.${domains[0] ?? ''}`
    const cases = coveredCalls(id, who, sending, tools).flatMap(({ caller, tool: name, args, rule }) => {
      const tool = tools.find((one) => one.name === name)
      const to = (addresses: (argument: string) => string): JsonObject => ({
        ...args,
        ...Object.fromEntries(from.map((argument) => [argument, shaped(tool, argument, addresses(argument))])),
      })
      return [
        {
          name: `${name} within the company is not refused, rule ${rule}`,
          ...caller,
          tool: name,
          args: to(() => inside),
          notRule: rule,
        },
        ...from.map((argument): TemplateCase => ({
          name: `${name} with a stranger in ${argument} is refused, rule ${rule}`,
          ...caller,
          tool: name,
          args: to((one) => (one === argument ? outside : inside)),
          expect: 'deny',
          rule,
        })),
      ]
    })
    const rule = {
      id,
      deny: [...who],
      tools: [...sending],
      unless: `[${domains.map((domain) => JSON.stringify(domain)).join(', ')}].containsAll(facts.recipients.domains)`,
      reason: `Messages go to ${domains.join(', ')} only.`,
    }
    const recipients = { extract: 'email-recipients', from: [...from] }
    return { rules: [rule], facts: Object.fromEntries(sending.map((tool) => [tool, { recipients }])), cases }
  },
}

/** An address as the argument takes it: text, or a list of text. */
function shaped(tool: TemplateTool | undefined, argument: string, address: string): string | string[] {
  const properties = tool?.inputSchema.properties as JsonObject | undefined
  const schema = properties?.[argument] as JsonObject | undefined
  return schema?.type === 'array' ? [address] : address
}
