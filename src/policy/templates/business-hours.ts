import { coveredCalls } from './case-callers.ts'
import { dayNames, daysOf, officeHoursCondition } from './office-hours-condition.ts'
import type { PolicyTemplate, TemplateCase } from './policy-template.ts'
import { allValues, oneValue } from './template-values.ts'

/** Nothing outside of the hours in which somebody watches. */
export const businessHours: PolicyTemplate = {
  name: 'business-hours',
  title: 'Nothing outside of business hours',
  about: [
    'Policies know UTC only. The hours are yours, moved by the offset that you give, also over',
    'midnight. The offset is fixed: where clocks change for the summer, the hours are one off for',
    'half of the year, so choose hours that are right in both, or make the file again.',
    'Public holidays are not known.',
  ],
  parameters: [
    { name: 'who', kind: 'who', what: 'Who is bound to the hours.', default: 'anyone', example: 'group interns' },
    { name: 'tools', kind: 'tools', what: 'What is closed.', default: 'any tool', example: 'service payments' },
    { name: 'hours', kind: 'hours', what: 'Open from-to, local time.', default: '8-18', example: '8-18' },
    { name: 'days', kind: 'days', what: 'Open on.', default: 'monday-friday', example: 'monday-friday' },
    {
      name: 'offset',
      kind: 'utc-offset',
      what: 'How far local time is ahead of UTC.',
      default: '+00:00',
      example: '+01:00',
    },
  ],
  content({ id, values, tools }) {
    const who = allValues(values, 'who')
    const which = allValues(values, 'tools')
    const offset = oneValue(values, 'offset')
    const [from = 0, to = 24] = oneValue(values, 'hours').split('-').map(Number)
    const days = daysOf(allValues(values, 'days'))
    const open = { days, fromMinute: from * 60, toMinute: to * 60, offsetMinutes: minutesOf(offset) }
    const openDay = days[0] ?? 1
    const closedDay = [1, 2, 3, 4, 5, 6, 7].find((day) => !days.includes(day))
    const cases = coveredCalls(id, who, which, tools).flatMap(({ caller, tool, args, rule }) => {
      const at = (day: number, time: string, isOpen: boolean): TemplateCase => ({
        name: `${tool} is ${isOpen ? 'open' : 'closed'} on ${dayNames[day - 1] ?? ''} at ${time}, rule ${rule}`,
        ...caller,
        tool,
        args,
        // The week of Monday, 23 November 2026.
        at: `2026-11-${22 + day}T${time}:00${offset}`,
        ...(isOpen ? { notRule: rule } : { expect: 'deny', rule }),
      })
      return [
        at(openDay, `${two(from)}:00`, true),
        at(openDay, `${two(to - 1)}:59`, true),
        ...(from === 0 ? [] : [at(openDay, `${two(from - 1)}:59`, false)]),
        ...(to === 24 ? [] : [at(openDay, `${two(to)}:00`, false)]),
        ...(closedDay === undefined ? [] : [at(closedDay, `${two(from)}:00`, false)]),
      ]
    })
    const rule = {
      id,
      deny: [...who],
      tools: [...which],
      unless: officeHoursCondition(open),
      reason: `Open ${allValues(values, 'days').join(', ')} ${two(from)}:00-${two(to)}:00 (UTC${offset === '+00:00' ? '' : offset}).`,
    }
    return { rules: [rule], cases }
  },
}

function minutesOf(offset: string): number {
  const [hours = 0, minutes = 0] = offset.slice(1).split(':').map(Number)
  return (offset.startsWith('-') ? -1 : 1) * (hours * 60 + minutes)
}

const two = (value: number): string => String(value).padStart(2, '0')
