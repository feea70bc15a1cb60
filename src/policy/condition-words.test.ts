import { describe, expect, it } from 'vitest'
import { policyToJson } from './cedar.ts'
import { conditionWords } from './condition-words.ts'

function words(condition: string): string | null {
  const answer = policyToJson(`permit (principal, action, resource) when { ${condition} };`)
  if (answer.type !== 'success') throw new Error(answer.errors[0]?.message)
  return conditionWords(answer.json.conditions[0]?.body)
}

describe('a condition in words', () => {
  it.each([
    ['context.args.limit <= 25', 'the argument limit is at most 25'],
    ['25 < context.args.limit', '25 is less than the argument limit'],
    ['!(context.args.limit > 25)', 'the argument limit is at most 25'],
    ['context.args.place.country == "DE"', 'the argument place.country is "DE"'],
    ['context.args has note', 'the argument note is given'],
    ['!(context.args has note)', 'the argument note is not given'],
    ['context.args.dry_run', 'the argument dry_run is true'],
    ['context.args.to like "*@example.com"', 'the argument to is like "*@example.com"'],
    ['context.hour >= 8 && context.hour < 18', 'the hour (UTC) is at least 8 and the hour (UTC) is less than 18'],
    ['!(context.hour >= 8 && context.hour < 18)', 'the hour (UTC) is less than 8 or the hour (UTC) is at least 18'],
    [
      'context.approved || (context.hour > 8 && context.weekday < 6)',
      'a person approved exactly this call or (the hour (UTC) is more than 8 and the weekday (1 is Monday) is less than 6)',
    ],
    ['!context.authn.sender_constrained', 'the credential is not bound to a key of the caller'],
    ['context.labels.contains("untrusted-input")', 'the labels of the run holds "untrusted-input"'],
    ['["read", "list"].contains(context.args.verb)', '["read", "list"] holds the argument verb'],
    ['context.address.isInRange(ip("10.0.0.0/8"))', 'the address of the caller is in 10.0.0.0/8'],
    ['context.args.price.lessThan(decimal("9.5"))', 'the argument price is less than 9.5'],
    ['context.usage.tool.calls_day < 100', 'the number of calls today of this tool is less than 100'],
    ['context.facts.recipients.containsAny(["x"])', 'the fact recipients holds some of ["x"]'],
    ['principal in AgentGroup::"demo/all"', 'the caller is in AgentGroup demo/all'],
    [
      'context.usage.agent.spend_day + context.args.amount <= 5000',
      'what was spent today of all tools + the argument amount is at most 5000',
    ],
  ])('%s', (condition, expected) => {
    expect(words(condition)).toBe(expected)
  })

  it('has none for what it does not know, rather than half of it', () => {
    expect(words('context.hour > 8 && (if context.approved then true else false)')).toBeNull()
    expect(words('context.time.toTime() < duration("8h")')).toBeNull()
  })
})
