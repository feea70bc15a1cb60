import fc from 'fast-check'
import { expect, it } from 'vitest'
import { compileRules } from '../compile-rules.ts'
import { createCedarPolicyEngine } from '../create-cedar-policy-engine.ts'
import { daysOf, officeHoursCondition, type OfficeHours } from './office-hours-condition.ts'

const minuteMs = 60_000
// Monday, 23 November 2026, 00:00 UTC.
const mondayMs = 1_795_392_000_000

/** Whether it is open, told from the calendar of the place itself. */
function isOpen({ days, fromMinute, toMinute, offsetMinutes }: OfficeHours, minuteOfWeek: number): boolean {
  const local = (((minuteOfWeek + offsetMinutes) % 10_080) + 10_080) % 10_080
  const minute = local % 1_440
  return days.includes(Math.floor(local / 1_440) + 1) && minute >= fromMinute && minute < toMinute
}

const hours = fc
  .record({
    days: fc.subarray([1, 2, 3, 4, 5, 6, 7], { minLength: 1 }),
    span: fc.tuple(fc.nat(23), fc.integer({ min: 1, max: 24 })).filter(([from, to]) => from < to),
    offsetMinutes: fc.integer({ min: -55, max: 56 }).map((quarters) => quarters * 15),
  })
  .map(({ days, span: [from, to], offsetMinutes }): OfficeHours => {
    return { days, fromMinute: from * 60, toMinute: to * 60, offsetMinutes }
  })

it('is open exactly when it is open by the local calendar, whatever the offset from UTC', () => {
  fc.assert(
    fc.property(hours, fc.array(fc.nat(10_079), { minLength: 8, maxLength: 24 }), (office, minutes) => {
      const rules = [
        { rule: { id: 'open', allow: 'anyone', tools: 'a-b', when: officeHoursCondition(office) }, line: 1 },
      ]
      const compiled = compileRules('shop', rules)
      if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults))
      const engine = createCedarPolicyEngine()
      const vocabulary = { namespace: 'shop', tools: [{ name: 'a-b', service: 'a', inputSchema: { type: 'object' } }] }
      expect(engine.install([{ file: 'open.cedar', text: compiled.text }], vocabulary).problems).toEqual([])
      const edges = [office.fromMinute, office.toMinute].map((minute) => minute - office.offsetMinutes + 20_160)
      for (const minute of [...minutes, ...edges, ...edges.map((edge) => edge - 1)].map((one) => one % 10_080)) {
        const { effect, errors } = engine.decide(requestAt(mondayMs + minute * minuteMs))
        expect(errors).toEqual([])
        expect(effect === 'allow').toBe(isOpen(office, minute))
      }
    }),
    { numRuns: 25 },
  )
})

function requestAt(timeMs: number) {
  return {
    principal: { type: 'agent', id: 'shop/a', namespace: 'shop', groups: [] },
    action: 'call',
    resource: { type: 'Tool', id: 'shop/a-b', namespace: 'shop', service: 'a' },
    arguments: {},
    context: {
      authentication: { method: 'api-key', senderConstrained: false },
      door: 'tool',
      operation: '',
      labels: [],
      timeMs,
      address: '127.0.0.1',
    },
  } as const
}

it('reads days and ranges of days, also over the end of the week', () => {
  expect(daysOf(['monday-friday'])).toEqual([1, 2, 3, 4, 5])
  expect(daysOf(['saturday-monday', 'wednesday'])).toEqual([1, 3, 6, 7])
  expect(daysOf(['sunday'])).toEqual([7])
})
