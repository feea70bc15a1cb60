import type { Command } from 'commander'
import type { CommandContext } from '../context.ts'
import { position } from '../position.ts'
import { chooseNamespace, namespaceOption } from '../namespace-option.ts'
import { printableJson } from '../printable.ts'
import { table } from '../terminal.ts'
import { objects } from './rows.ts'

/** `mcpworks quarantine list|release`. */
export function addQuarantineCommands(program: Command, context: () => CommandContext): void {
  const quarantine = program
    .command('quarantine')
    .description('Outputs that were kept back because something that must have held of their call did not')

  quarantine
    .command('list')
    .description('Lists calls whose output is in quarantine, the newest first')
    .option(...namespaceOption)
    .option('--before <position>', 'go on before this position, as the last page said', position)
    .action(async (options: { namespace?: string; before?: number }) => {
      const current = context()
      const namespace = await chooseNamespace(options.namespace, current)
      const answer = await current.api().call('audit.quarantine', {
        namespace,
        ...(options.before === undefined ? {} : { before: options.before }),
      })
      const rows = objects(answer.calls).map((row) => [
        String(row.call),
        String(row.time),
        String(row.principal),
        String(row.tool),
        objects(row.invariants)
          .map(({ id, detail }) => `${String(id)}${typeof detail === 'string' ? `: ${detail}` : ''}`)
          .join('; '),
        objects(row.releases)
          .map(({ by }) => String(by))
          .join(', '),
      ])
      const text = table(['CALL', 'SINCE', 'OF', 'TOOL', 'WHAT DID NOT HOLD', 'RELEASED TO'], rows)
      const more = typeof answer.next === 'number' ? `\nThere may be more: --before ${answer.next}` : ''
      current.terminal.result(answer, `${text}${more}`)
    })

  quarantine
    .command('release <call>')
    .description(
      'Shows you the output of a call in quarantine; that you did is on record first. The caller never gets it.',
    )
    .option(...namespaceOption)
    .requiredOption('-m, --comment <text>', 'why; kept in the record')
    .action(async (call: string, options: { namespace?: string; comment: string }) => {
      const current = context()
      const namespace = await chooseNamespace(options.namespace, current)
      const answer = await current.api().call('quarantine.release', { namespace, call, comment: options.comment })
      current.terminal.result(answer, printableJson(answer.output, 2))
    })
}
