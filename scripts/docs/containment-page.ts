import { readFileSync } from 'node:fs'
import { containmentGroups, groupOf, type ContainmentCheck } from '../../src/sandbox/containment/containment-check.ts'
import { containmentList } from '../../src/sandbox/containment/containment-list.ts'
import { table } from './markdown-table.ts'

/** What was recorded of one engine in one mode. */
interface Recorded {
  readonly version: string
  readonly total: number
  /** Known exceptions by the id of the check, with the reason. */
  readonly open: Readonly<Record<string, string>>
  readonly emulated: readonly string[]
  readonly notApplicable: readonly string[]
}

/** `docs/containment.md`: what was measured on each engine, and every check in words. */
export function containmentPage(): string {
  const list = containmentList('x64')
  const recorded = Object.entries(
    JSON.parse(readFileSync('docs/containment.json', 'utf8')) as Readonly<Record<string, Recorded>>,
  )
  return `# Containment

Made from \`src/sandbox/containment\` and \`docs/containment.json\` by \`npm run fix\`.

\`mcpworks sandbox check\` tries to break out of a jail of each engine that is here, in ${String(list.length)} ways (on x86-64), and compares the answers with what a jail that holds would answer. Hosted code only tries and tells; the answers are judged outside. What can only be seen from outside (ids, capabilities and namespaces as the kernel tells them, a sibling that runs at the same time, what is left at the end) is looked at from there.

Each check is **held**, **open**, **emulated** (the engine answers with a kernel of its own, so that nothing of this machine is told or reached) or **not applicable**. A check that is open on an engine is an unexpected result, and the command ends with code 1, unless it is one of the known exceptions below; an exception that no longer occurs is unexpected, too.

## Results

Passed of asked; emulated ones are counted as passed, those that do not apply are not asked.

${resultTable(list, recorded)}

${recorded.map(([name, facts]) => exceptionsOf(name, facts)).join('\n\n')}

## The checks

"on Bun" are those made by TypeScript code; the others by Python code or from outside.

${containmentGroups.map((group) => `### ${group}\n\n${checksOf(list.filter(({ id }) => groupOf(id) === group))}`).join('\n\n')}
`
}

function resultTable(list: readonly ContainmentCheck[], recorded: readonly (readonly [string, Recorded])[]): string {
  const row = (name: string, checks: readonly ContainmentCheck[]): string[] => [
    name,
    ...recorded.map(([, facts]) => {
      const asked = checks.filter(({ id }) => !facts.notApplicable.includes(id))
      return `${String(asked.filter(({ id }) => facts.open[id] === undefined).length)}/${String(asked.length)}`
    }),
  ]
  const groups = containmentGroups.map((group) =>
    row(
      group,
      list.filter(({ id }) => groupOf(id) === group),
    ),
  )
  return table(['group', ...recorded.map(([name]) => name)], [...groups, row('all', list)])
}

function exceptionsOf(name: string, { version, open, emulated, notApplicable }: Recorded): string {
  const byReason = new Map<string, string[]>()
  for (const [id, reason] of Object.entries(open)) byReason.set(reason, [...(byReason.get(reason) ?? []), id])
  const lines = [...byReason].map(([reason, ids]) => `- ${ids.map((id) => `\`${id}\``).join(', ')}: ${reason}.`)
  if (emulated.length > 0) lines.push(`- ${String(emulated.length)} are answered by the engine's own kernel.`)
  if (notApplicable.length > 0)
    lines.push(
      `- ${String(notApplicable.length)} do not apply: its processes, or cgroups, cannot be seen from this machine.`,
    )
  return `### ${name}, version ${version}\n\n${lines.join('\n')}`
}

function checksOf(checks: readonly ContainmentCheck[]): string {
  const words = (check: ContainmentCheck): string =>
    check.expected.map((each) => (typeof each === 'string' ? each : each.text)).join(', or ')
  return table(
    ['check', 'what is tried', 'what holds'],
    checks.map((check) => [`\`${check.id}\``, check.attempt, words(check)]),
  )
}
