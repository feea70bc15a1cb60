import type { Command } from 'commander'
import { CliError } from '../cli-error.ts'
import { confirm } from '../confirm.ts'
import type { CommandContext } from '../context.ts'
import { exitCode } from '../exit-code.ts'

/** `mcpworks audit rotate-key`. */
export function addKeyCommand(audit: Command, context: () => CommandContext): void {
  audit
    .command('rotate-key')
    .description(
      'Signs checkpoints with a new key from here on. The former key vouches for it, in every tree of the log, and is deleted.',
    )
    .option('-y, --yes', 'do not ask')
    .action(async (options: { yes?: boolean }) => {
      const { terminal, api } = context()
      if (options.yes !== true && !(await confirm('Change the key that signs the decision log?')))
        throw new CliError(exitCode.failed, 'Nothing was changed.', 'Say yes when asked, or give --yes')
      const answer = await api().call('audit.rotate-key', {})
      terminal.result(
        answer,
        `Key change ${String(answer.number)}: the log is signed with\n  ${String(answer.next)}\nGive auditors the new audit.pub, all of its lines.`,
      )
    })
}
