/** Names of the days, the first is Monday. */
export const dayNames: readonly string[] = [
  'monday',
  'tuesday',
  'wednesday',
  'thursday',
  'friday',
  'saturday',
  'sunday',
]
const minutesOfDay = 24 * 60

/** Hours of the week in local time. */
export interface OfficeHours {
  /** Days, 1 is Monday. Sorted, unique. */
  readonly days: readonly number[]
  /** Minutes of the local day: from this one, up to but not with that one. */
  readonly fromMinute: number
  readonly toMinute: number
  /** Minutes that local time is ahead of UTC. */
  readonly offsetMinutes: number
}

/** `monday-friday`, `sunday` and the like as days, 1 is Monday. A range may go over the end of the week. */
export function daysOf(written: readonly string[]): number[] {
  const days = new Set<number>()
  for (const part of written) {
    const [first = '', last = first] = part.split('-')
    const end = dayNames.indexOf(last)
    for (let day = dayNames.indexOf(first); ; day = (day + 1) % 7) {
      days.add(day + 1)
      if (day === end) break
    }
  }
  return [...days].toSorted((a, b) => a - b)
}

/**
 * The hours as a condition on `hour` and `weekday`, which are UTC. Where the hours reach over midnight UTC, the part
 * beyond it is on the neighbouring day. Offsets that are not whole hours are compared by the time of day.
 */
export function officeHoursCondition({ days, fromMinute, toMinute, offsetMinutes }: OfficeHours): string {
  const start = fromMinute - offsetMinutes
  const end = toMinute - offsetMinutes
  const parts = [-1, 0, 1].flatMap((shift) => {
    const from = Math.max(start, shift * minutesOfDay) - shift * minutesOfDay
    const to = Math.min(end, (shift + 1) * minutesOfDay) - shift * minutesOfDay
    if (from >= to) return []
    const utcDays = days.map((day) => ((day - 1 + shift + 7) % 7) + 1).toSorted((a, b) => a - b)
    return [[...dayCondition(utcDays), ...timeCondition(from, to)].join(' && ') || 'true']
  })
  return parts.length === 1 ? (parts[0] ?? '') : parts.map((part) => `(${part})`).join(' || ')
}

function dayCondition(days: readonly number[]): string[] {
  const [first = 1] = days
  const last = days.at(-1) ?? 7
  if (days.length === 7) return []
  if (days.length === 1) return [`weekday == ${first}`]
  if (last - first !== days.length - 1) return [`[${days.join(', ')}].contains(weekday)`]
  return [...(first === 1 ? [] : [`weekday >= ${first}`]), ...(last === 7 ? [] : [`weekday <= ${last}`])]
}

function timeCondition(from: number, to: number): string[] {
  const whole = from % 60 === 0 && to % 60 === 0
  const compared = whole ? 'hour' : 'time.toTime()'
  const shown = (minutes: number): string =>
    whole ? String(minutes / 60) : `duration("${Math.floor(minutes / 60)}h${minutes % 60}m")`
  return [
    ...(from === 0 ? [] : [`${compared} >= ${shown(from)}`]),
    ...(to === minutesOfDay ? [] : [`${compared} < ${shown(to)}`]),
  ]
}
