import { Option, type Command } from 'commander'
import type { SandboxBenchOrder, Spectrum, SpectrumRow } from '../../app/index.ts'
import type { CommandContext } from '../context.ts'
import { exitCode } from '../exit-code.ts'
import { table } from '../terminal.ts'

const engines = ['nsjail', 'bubblewrap', 'crun', 'runc', 'runsc', 'kata'] as const

/** For people; `--json` has all of it. */
const longestReason = 300

/** `mcpworks sandbox bench`. */
export function addSandboxBenchCommand(sandbox: Command, context: () => CommandContext): void {
  sandbox
    .command('bench')
    .description(
      'Measures what a call costs on each engine that is here, and says what each engine is good for. Needs no server; about 30 seconds',
    )
    .addOption(
      new Option('--engine <name...>', 'only these engines (default: all that are here)').choices([...engines]),
    )
    .option('--checks', 'run the checks of "sandbox check" on each engine as well, and count them; takes minutes')
    .addHelpText('after', '\nFigures are of this machine at this moment: compare them with one another only.')
    .action(async (options: { engine?: (typeof engines)[number][]; checks?: true }) => {
      const { terminal, config } = context()
      const { benchSandbox } = await import('../../app/index.ts')
      const order: SandboxBenchOrder = { engines: options.engine ?? null, withChecks: options.checks === true }
      const spectrum = await benchSandbox(config(), order)
      const measured = spectrum.rows.filter(({ status }) => status === 'measured')
      terminal.result(spectrum, asText(spectrum, order.withChecks))
      const hasFailed = spectrum.rows.some(({ status }) => status === 'failed')
      if (measured.length === 0 || hasFailed) process.exitCode = exitCode.failed
    })
}

function asText({ unjailedPythonMs, rows }: Spectrum, withChecks: boolean): string {
  const measured = rows.filter((row) => row.status === 'measured')
  const header = ['ENGINE', 'MODE', 'ISOLATION', 'PYTHON', '', 'TYPESCRIPT', '', 'SYSTEM CALLS', 'CHECKS']
  const units = ['', '', '', 'ms', 'a second', 'ms', 'a second', 'allowed', 'passed']
  const cells = measured.map((row) => [
    `${row.technology} ${row.version}`,
    row.mode,
    row.isolation,
    ...[row.figures.python, row.figures.typescript].flatMap((each) => [String(each.p50_ms), String(each.per_second)]),
    systemCalls(row.systemCalls.python),
    row.checks === null ? '-' : `${String(row.checks.passed)}/${String(row.checks.of)}`,
  ])
  const tradeOffs = new Map(rows.map((row) => [row.technology, row.tradeOff]))
  return [
    ...(measured.length === 0 ? [] : [table(header, [units, ...cells])]),
    'ms: median of calls one after the other; a second: with four callers at once; of a function that does nothing.' +
      (unjailedPythonMs === null ? '' : ` Python without any jail takes ${String(unjailedPythonMs)} ms here.`),
    [...tradeOffs].map(([technology, tradeOff]) => `${technology}: ${tradeOff}`).join('\n'),
    ...notMeasured(rows),
    ...(withChecks ? [] : ['Which checks each engine passes: mcpworks sandbox check, or --checks here.']),
  ].join('\n\n')
}

function systemCalls({ always, byArguments }: { readonly always: number; readonly byArguments: number }): string {
  return `${String(always + byArguments)}, ${String(byArguments)} of them by arguments`
}

function notMeasured(rows: readonly SpectrumRow[]): string[] {
  const lines = rows.flatMap((row) =>
    row.status === 'measured'
      ? []
      : [`${row.name} (${row.mode}): ${row.status.toUpperCase()}: ${row.reason.slice(0, longestReason)}`],
  )
  return lines.length === 0 ? [] : [lines.join('\n')]
}
