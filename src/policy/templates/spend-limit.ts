import type { JsonObject, JsonValue } from '../../kernel/index.ts'
import { minorDigits } from '../facts/currencies.ts'
import { coveredCalls } from './case-callers.ts'
import type { PolicyTemplate, TemplateCase, TemplateFilling, TemplateTool } from './policy-template.ts'
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
  content(filling) {
    const { id, values } = filling
    const limits = limitsOf(filling)
    const { call, day, currency, one } = limits
    const who = [...allValues(values, 'who')]
    const tools = [...allValues(values, 'tools')]
    const rules = [
      {
        id: `${id}-call`,
        deny: who,
        tools,
        when: `facts has spent && facts.spent.minor > ${call * one}`,
        reason: `At most ${call} ${currency} for one call.`,
      },
      {
        id: `${id}-day`,
        deny: who,
        tools,
        when: `facts has spent && usage.agent.spend_day + facts.spent.minor > ${day * one}`,
        reason: `At most ${day} ${currency} in a day.`,
      },
    ]
    const facts = Object.fromEntries(tools.map((tool) => [tool, { spent: spentFact(limits) }]))
    return { rules, facts, currency, cases: [...callCases(filling, limits), ...dayCases(filling, limits)] }
  },
}

interface Limits {
  readonly currency: string
  /** In the major unit. */
  readonly call: number
  readonly day: number
  /** Minor units of one major unit. */
  readonly one: number
  readonly amount: string
  /** The argument that names the currency; `null` where none does. */
  readonly currencyArgument: string | null
  readonly unit: string
}

function limitsOf({ values }: TemplateFilling): Limits {
  const currency = oneValue(values, 'currency')
  const currencyArgument = oneValue(values, 'currency-argument')
  return {
    currency,
    call: Number(oneValue(values, 'call')),
    day: Number(oneValue(values, 'day')),
    one: 10 ** (minorDigits.get(currency) ?? 0),
    amount: oneValue(values, 'amount'),
    currencyArgument: currencyArgument === 'none' ? null : currencyArgument,
    unit: oneValue(values, 'unit'),
  }
}

function spentFact({ amount, currencyArgument, currency, unit }: Limits): JsonObject {
  return {
    extract: 'money',
    ...(currencyArgument === null ? { from: amount, currency } : { from: [amount, currencyArgument] }),
    unit,
    spend: true,
  }
}

function callCases(filling: TemplateFilling, limits: Limits): TemplateCase[] {
  const { call, currency, one } = limits
  return spendingCalls(`${filling.id}-call`, filling, limits).flatMap(({ caller, tool, rule, spending }) => [
    {
      name: `${tool} of ${call} ${currency} is not refused, rule ${rule}`,
      ...caller,
      tool,
      args: spending(call * one),
      notRule: rule,
    },
    {
      name: `${tool} of the least more than ${call} ${currency} is refused, rule ${rule}`,
      ...caller,
      tool,
      args: spending(call * one + 1),
      expect: 'deny',
      rule,
    },
  ])
}

function dayCases(filling: TemplateFilling, limits: Limits): TemplateCase[] {
  const { day, currency, one } = limits
  return spendingCalls(`${filling.id}-day`, filling, limits).flatMap(({ caller, tool, rule, spending }) => {
    const after = (minor: number) => ({ ...caller, tool, args: spending(one), usage: { agent: { spend_day: minor } } })
    return [
      {
        name: `${tool} up to ${day} ${currency} in a day is not refused, rule ${rule}`,
        ...after(day * one - one),
        notRule: rule,
      },
      {
        name: `${tool} beyond ${day} ${currency} in a day is refused, rule ${rule}`,
        ...after(day * one - one + 1),
        expect: 'deny',
        rule,
      },
    ]
  })
}

/** The calls that a rule covers, each with the arguments that spend so many minor units. */
function spendingCalls(rule: string, { values, tools }: TemplateFilling, limits: Limits) {
  const { amount, currency, currencyArgument, one, unit } = limits
  return coveredCalls(rule, allValues(values, 'who'), allValues(values, 'tools'), tools).map((covered) => {
    const tool = tools.find(({ name }) => name === covered.tool)
    const spending = (minor: number): JsonObject => ({
      ...covered.args,
      ...(currencyArgument === null ? {} : { [currencyArgument]: currency }),
      [amount]: written(tool, amount, minor, unit === 'minor' ? 1 : one),
    })
    return { ...covered, spending }
  })
}

/** An amount as the argument takes it: text or a number. `parts` is how many minor units its unit has. */
function written(tool: TemplateTool | undefined, argument: string, minor: number, parts: number): JsonValue {
  const properties = tool?.inputSchema.properties as JsonObject | undefined
  const schema = properties?.[argument] as JsonObject | undefined
  const text = (minor / parts).toFixed(Math.log10(parts))
  return schema?.type === 'string' ? text : Number(text)
}
