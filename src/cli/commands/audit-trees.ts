import type { Command } from 'commander'
import { CliError } from '../cli-error.ts'
import type { CommandContext } from '../context.ts'
import { writeNew } from '../evidence-files.ts'
import { exitCode } from '../exit-code.ts'
import { chooseNamespace, namespaceOption } from '../namespace-option.ts'
import { printable, printableLine } from '../printable.ts'
import { objects } from './rows.ts'

/** `mcpworks audit trees|checkpoint`. */
export function addTreeCommands(audit: Command, context: () => CommandContext): void {
  audit
    .command('trees')
    .description('Lists the trees of a namespace with the size that is signed')
    .option(...namespaceOption)
    .action(async (options: { namespace?: string }) => {
      const current = context()
      const { terminal, api } = current
      const namespace = await chooseNamespace(options.namespace, current)
      const answer = await api().call('audit.trees', { namespace })
      const lines = objects(answer.trees).map(({ period, size, origin, time }) =>
        printableLine(`${String(period)}  ${String(size).padStart(8)} records  ${String(time)}  ${String(origin)}`),
      )
      terminal.result(answer, lines.length === 0 ? `Nothing of ${namespace} is signed yet.` : lines.join('\n'))
    })

  audit
    .command('checkpoint')
    .description(
      'Shows the newest signed checkpoint of a tree: to be kept elsewhere, and given to "audit verify" later',
    )
    .option(...namespaceOption)
    .option('--period <month>', 'the tree: a month such as 2026-11, or "first" (default: the newest)')
    .option('-o, --output <file>', 'file to write; one that is there is not replaced')
    .action(async (options: { namespace?: string; period?: string; output?: string }) => {
      const current = context()
      const { terminal, api } = current
      const namespace = await chooseNamespace(options.namespace, current)
      const period = options.period ?? (await newestTree(namespace, current))
      const { content } = await api().call('audit.checkpoint', { namespace, period })
      const note = String(content)
      if (options.output !== undefined) writeNew(options.output, note)
      terminal.result({ namespace, period, checkpoint: note }, options.output ?? printable(note.trimEnd()))
    })
}

async function newestTree(namespace: string, { api }: CommandContext): Promise<string> {
  const { trees } = await api().call('audit.trees', { namespace })
  const newest = objects(trees).at(-1)
  if (newest !== undefined) return String(newest.period)
  throw new CliError(exitCode.failed, `Nothing of ${namespace} is signed yet.`, null)
}
