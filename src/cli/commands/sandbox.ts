import { Option, type Command } from 'commander'
import type { EngineReport, SandboxCheckOrder } from '../../app/index.ts'
import type { CommandContext } from '../context.ts'
import { exitCode } from '../exit-code.ts'
import { table } from '../terminal.ts'
import { addSandboxBenchCommand } from './sandbox-bench.ts'

const engines = ['nsjail', 'bubblewrap', 'crun', 'runc', 'runsc', 'kata'] as const
const groups = [
  'files',
  'proc',
  'sys',
  'dev',
  'network',
  'system-calls',
  'capabilities',
  'namespaces',
  'signals',
  'limits',
  'siblings',
  'views',
] as const

interface CheckOptions {
  readonly engine?: (typeof engines)[number][]
  readonly mode?: 'fast' | 'fresh'
  readonly only?: (typeof groups)[number]
}

type Checked = Extract<EngineReport, { status: 'checked' }>

/** `mcpworks sandbox`. */
export function addSandboxCommands(program: Command, context: () => CommandContext): void {
  const sandbox = program.command('sandbox').description('Looks at the jails that hosted code runs in')
  addSandboxBenchCommand(sandbox, context)
  sandbox
    .command('check')
    .description(
      'Tries to break out of a jail of each engine that is here, some hundred ways, and prints what held. Needs no server',
    )
    .addOption(
      new Option('--engine <name...>', 'only these engines (default: all that are here)').choices([...engines]),
    )
    .addOption(new Option('--mode <mode>', 'how jails are made (default: as configured)').choices(['fast', 'fresh']))
    .addOption(new Option('--only <group>', 'only one part of the list').choices([...groups]))
    .addHelpText('after', '\nExit code 1 where a check is not as it is known to be for its engine.')
    .action(async (options: CheckOptions) => {
      const { terminal, config } = context()
      const { checkSandbox } = await import('../../app/index.ts')
      const order: SandboxCheckOrder = {
        engines: options.engine ?? null,
        mode: options.mode ?? null,
        group: options.only ?? null,
      }
      const reports = await checkSandbox(config(), order)
      const ok = isAsExpected(reports, options.engine ?? [])
      terminal.result({ ok, ...asJson(reports) }, asText(reports))
      if (!ok) process.exitCode = exitCode.failed
    })
}

/** No unexpected result, at least one engine, and every engine that was asked for by name is there. */
function isAsExpected(reports: readonly EngineReport[], askedFor: readonly string[]): boolean {
  return (
    reports.some(({ status }) => status === 'checked') &&
    reports.every((report) =>
      report.status === 'checked'
        ? report.checks.every((check) => check.ok)
        : report.status === 'not there' && !askedFor.includes(report.name),
    )
  )
}

function asJson(reports: readonly EngineReport[]): object {
  return {
    engines: reports.flatMap((report) => (report.status === 'checked' ? [report] : [])),
    others: reports.flatMap((report) => (report.status === 'checked' ? [] : [report])),
  }
}

function asText(reports: readonly EngineReport[]): string {
  const checked = reports.filter((report) => report.status === 'checked')
  const others = reports
    .filter((report) => report.status !== 'checked')
    .map((report) => `${report.name}: ${report.status === 'failed' ? 'FAILED' : 'not there'}: ${report.reason}`)
  return [
    ...(checked.length === 0 ? [] : [summary(checked)]),
    ...(others.length === 0 ? [] : [others.join('\n')]),
    ...checked.flatMap(unexpected),
    ...checked.flatMap(exceptions),
  ].join('\n\n')
}

/** A row for each group, passed of total for each engine. */
function summary(checked: readonly Checked[]): string {
  const header = ['GROUP', ...checked.map(({ name, version, mode }) => `${name} ${version} (${mode})`)]
  const cell = (report: Checked, group: string | null): string => {
    const all = report.checks.filter((check) => group === null || check.group === group)
    const asked = all.filter((check) => check.verdict !== 'not applicable')
    const passed = asked.filter((check) => check.verdict !== 'open')
    return `${String(passed.length)}/${String(asked.length)}`
  }
  const used = groups.filter((group) => checked.some(({ checks }) => checks.some((check) => check.group === group)))
  const rows = used.map((group) => [group, ...checked.map((report) => cell(report, group))])
  return table(header, [...rows, ['all', ...checked.map((report) => cell(report, null))]])
}

function unexpected({ name, checks }: Checked): string[] {
  const wrong = checks.filter((check) => !check.ok)
  if (wrong.length === 0) return [`${name}: no unexpected result`]
  return [
    `${name}: ${String(wrong.length)} UNEXPECTED`,
    ...wrong.map(({ id, verdict, attempt, expected, got, note }) =>
      [
        `  ${id}: ${verdict}`,
        `    hosted code could: ${attempt}`,
        `    expected: ${expected}`,
        `    got: ${got.slice(0, 500)}`,
        ...(note === '' ? [] : [`    ${note}`]),
      ].join('\n'),
    ),
  ]
}

function exceptions({ name, checks }: Checked): string[] {
  const known = checks.filter((check) => check.ok && check.note !== '' && check.verdict === 'open')
  const emulated = checks.filter((check) => check.verdict === 'emulated').length
  const away = checks.filter((check) => check.verdict === 'not applicable').length
  return [
    ...(known.length === 0
      ? []
      : [
          [
            `${name}: ${String(known.length)} known exceptions`,
            ...known.map(({ id, note }) => `  ${id}: ${note.replace('known exception: ', '')}`),
          ].join('\n'),
        ]),
    ...(emulated === 0 ? [] : [`${name}: ${String(emulated)} answered by the engine's own kernel, counted as passed`]),
    ...(away === 0 ? [] : [`${name}: ${String(away)} not applicable, not counted`]),
  ]
}
