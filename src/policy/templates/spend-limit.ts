import type { JsonObject, JsonValue } from '../../kernel/index.ts'
import { minorDigits } from '../facts/currencies.ts'
import { coveredCalls } from './case-callers.ts'
import type { PolicyTemplate, TemplateTool } from './policy-template.ts'
import { allValues, oneValue } from './template-values.ts'

/** So much money for one call, and for a day. */
export const spendLimit: PolicyTemplate = {
  name: 'spend-limit',
  title: 'So much money for one call, and so much in a day',
  about: [
    'What a call spends is derived from its arguments (facts.yaml), and added up for each agent',
    'over all tools whose spend is counted, when the call is allowed. Text such as "129.90" is read',
    'with a point; an amount that can be read in two ways, or in another currency, is refused. A',
    'day is one of UTC. What comes back is not taken off.',
  ],
  parameters: [
    { name: 'who', kind: 'who', what: 'Who is limited.', default: 'anyone', example: 'group finance' },
    { name: 'tools', kind: 'tool-names', what: 'The tools that spend.', default: null, example: 'payments-pay' },
    { name: 'amount', kind: 'argument', what: 'Their argument that is the amount.', default: null, example: 'amount' },
    {
      name: 'currency-argument',
      kind: 'argument-or-none',
      what: 'Their argument that is the currency.',
      default: 'none',
      example: 'currency',
    },
    { name: 'currency', kind: 'currency', what: 'What is counted in.', default: null, example: 'EUR' },
    {
      name: 'unit',
      kind: 'money-unit',
      what: 'What amounts are in: euros or cents.',
      default: 'major',
      example: 'major',
    },
    { name: 'call', kind: 'integer', what: 'At most for one call, in the major unit.', default: null, example: '500' },
    { name: 'day', kind: 'integer', what: 'At most in a day, in the major unit.', default: null, example: '2000' },
  ],
  content({ id, values, tools }) {
    const who = allValues(values, 'who')
    const spending = allValues(values, 'tools')
    const currency = oneValue(values, 'currency')
    const argument = oneValue(values, 'currency-argument')
    const unit = oneValue(values, 'unit')
    const amount = oneValue(values, 'amount')
    const digits = minorDigits.get(currency) ?? 0
    const one = 10 ** digits
    const call = Number(oneValue(values, 'call'))
    const day = Number(oneValue(values, 'day'))
    const named = argument === 'none' ? {} : { [argument]: currency }
    const spend = {
      extract: 'money',
      from: argument === 'none' ? amount : [amount, argument],
      ...(argument === 'none' ? { currency } : {}),
      unit,
      spend: true,
    }
    const calls = (rule: string) =>
      coveredCalls(rule, who, spending, tools).map((covered) => {
        const tool = tools.find(({ name }) => name === covered.tool)
        const of = (minor: number): JsonObject => ({
          ...covered.args,
          [amount]: written(tool, amount, minor, unit === 'minor' ? 0 : digits),
          ...named,
        })
        return { ...covered, of }
      })
    const cases = [
      ...calls(`${id}-call`).flatMap(({ caller, tool, rule, of }) => [
        {
          name: `${tool} of ${call} ${currency} is not refused, rule ${rule}`,
          ...caller,
          tool,
          args: of(call * one),
          notRule: rule,
        },
        {
          name: `${tool} of the least more than ${call} ${currency} is refused, rule ${rule}`,
          ...caller,
          tool,
          args: of(call * one + 1),
          expect: 'deny' as const,
          rule,
        },
      ]),
      ...calls(`${id}-day`).flatMap(({ caller, tool, rule, of }) => [
        {
          name: `${tool} up to ${day} ${currency} in a day is not refused, rule ${rule}`,
          ...caller,
          tool,
          args: of(one),
          usage: { agent: { spend_day: day * one - one } },
          notRule: rule,
        },
        {
          name: `${tool} beyond ${day} ${currency} in a day is refused, rule ${rule}`,
          ...caller,
          tool,
          args: of(one),
          usage: { agent: { spend_day: day * one - one + 1 } },
          expect: 'deny' as const,
          rule,
        },
      ]),
    ]
    const rules = [
      {
        id: `${id}-call`,
        deny: [...who],
        tools: [...spending],
        when: `facts has spent && facts.spent.minor > ${call * one}`,
        reason: `At most ${call} ${currency} for one call.`,
      },
      {
        id: `${id}-day`,
        deny: [...who],
        tools: [...spending],
        when: `facts has spent && usage.agent.spend_day + facts.spent.minor > ${day * one}`,
        reason: `At most ${day} ${currency} in a day.`,
      },
    ]
    const facts = Object.fromEntries(spending.map((tool) => [tool, { spent: spend }]))
    return { rules, facts, currency, cases }
  },
}

/** An amount of minor units as the argument takes it: text or a number, with so many decimals. */
function written(tool: TemplateTool | undefined, argument: string, minor: number, decimals: number): JsonValue {
  const properties = tool?.inputSchema.properties as JsonObject | undefined
  const schema = properties?.[argument] as JsonObject | undefined
  const text = (minor / 10 ** decimals).toFixed(decimals)
  return schema?.type === 'string' ? text : Number(text)
}
