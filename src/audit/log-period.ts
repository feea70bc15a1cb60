const lastMs = Date.parse('9999-12-31T23:59:59.999Z')
const periodPattern = /^[0-9]{4}-(?:0[1-9]|1[0-2])$/

/** The UTC month that a time lies in, such as `2026-11`. Times beyond the year 9999 count as its last month. */
export function logPeriod(timeMs: number): string {
  return new Date(Math.min(timeMs, lastMs)).toISOString().slice(0, 7)
}

/** The first millisecond after a period. Without an end for the empty one, and for the last that there is. */
export function periodEndMs(period: string): number {
  if (!periodPattern.test(period) || period === '9999-12') return Infinity
  const [year, month] = period.split('-').map(Number)
  return Date.UTC(year ?? 0, month ?? 0)
}

/** Whether the text is a period, or empty: the period of a tree that was begun before trees had one. */
export function isLogPeriod(text: string): boolean {
  return text === '' || periodPattern.test(text)
}

/** The period as a part of a path or an address: never empty. */
export function periodFolder(period: string): string {
  return period === '' ? 'first' : period
}
