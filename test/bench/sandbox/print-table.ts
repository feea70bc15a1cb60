import type { Goal, Result } from './goals.ts'

/** The report for people. */
export function printTable(report: {
  readonly engine: string
  readonly results: readonly Result[]
  readonly unavailable: readonly { readonly case: string; readonly mode: string; readonly reason: string }[]
  readonly goals: readonly Goal[]
}): void {
  const rows = report.results.map((each) => [
    each.case,
    each.mode,
    each.callers,
    each.p50_ms,
    each.p50_spread_ms.join('-'),
    each.p99_ms,
    each.per_second,
    each.cpu_ms,
    each.cpu_parts_ms === null ? '' : Object.values(each.cpu_parts_ms).join('+'),
    each.p50_ratio ?? '',
    each.per_second_ratio ?? '',
  ])
  const head = [
    'case',
    'mode',
    'callers',
    'p50 ms',
    'spread',
    'p99 ms',
    'per s',
    'cpu ms',
    'server+executor+jails',
    'p50 ratio',
    'per s ratio',
  ]
  console.log(`engine: ${report.engine}\n`)
  print([head, ...rows])
  console.log('')
  const verdict = (each: Goal): string => {
    if (each.measured === null) return 'not measured'
    return each.met ? 'met' : `missed by ${String(each.missed_by)}`
  }
  print(report.goals.map((each) => [verdict(each), each.name, each.goal, each.measured ?? '-', each.unit]))
  if (report.unavailable.length > 0) console.log('')
  print(report.unavailable.map((each) => ['not run', each.case, each.mode, each.reason.slice(0, 200)]))
}

function print(rows: readonly (readonly (string | number)[])[]): void {
  const widths: number[] = []
  for (const row of rows)
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, String(cell).length)
  for (const row of rows)
    console.log(
      row
        .map((cell, column) => String(cell).padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
}
