import type { Command } from 'commander'
import type { JsonValue } from '../../kernel/index.ts'
import type { CommandContext } from '../context.ts'
import { table } from '../terminal.ts'
import { objects } from './rows.ts'

/** `mcpworks audit exporters`. */
export function addExportersCommand(audit: Command, context: () => CommandContext): void {
  audit
    .command('exporters')
    .description('Shows the receivers that the log is sent to as it grows, and how far each of them is')
    .action(async () => {
      const { terminal, api } = context()
      const answer = await api().call('audit.exporters', {})
      const rows = objects(answer.exporters).map((one) => [
        String(one.name),
        String(one.type),
        String(one.taken),
        losses(one.rejected, one.dropped),
        typeof one.waitingSince === 'string' ? one.waitingSince : '-',
        typeof one.failing === 'string' ? `failing: ${one.failing}` : 'ok',
      ])
      const text =
        rows.length === 0
          ? 'The log is sent to nobody. See docs/exporters.md.'
          : table(['RECEIVER', 'TYPE', 'RECORDS', 'NOT KEPT', 'WAITING SINCE', 'STATE'], rows)
      terminal.result(answer, text)
    })
}

function losses(rejected: JsonValue | undefined, dropped: JsonValue | undefined): string {
  const sum = Number(rejected) + Number(dropped)
  return sum === 0 ? '-' : String(sum)
}
