import type { Command } from 'commander'
import type { JsonObject } from '../../kernel/index.ts'
import type { CommandContext } from '../context.ts'
import { readEvidence, writeNew } from '../evidence-files.ts'
import { exitCode } from '../exit-code.ts'
import { printable, printableLine } from '../printable.ts'

/** `mcpworks audit prove-consistency|check-consistency`. */
export function addConsistencyCommands(audit: Command, context: () => CommandContext): void {
  audit
    .command('prove-consistency')
    .description(
      'Writes the proof that one signed checkpoint of a namespace continues another, over months too. Needs no running server.',
    )
    .requiredOption('--from-checkpoint <file>', 'the older signed checkpoint')
    .requiredOption('--to-checkpoint <file>', 'the newer signed checkpoint')
    .requiredOption('-o, --output <file>', 'file to write; one that is there is not replaced')
    .action(async (options: { fromCheckpoint: string; toCheckpoint: string; output: string }) => {
      const { terminal, config } = context()
      const { proveLogConsistency } = await import('../../app/index.ts')
      const [from, to] = [readEvidence(options.fromCheckpoint), readEvidence(options.toCheckpoint)]
      const { dataDirectory, storage } = config()
      writeNew(options.output, await proveLogConsistency(dataDirectory, from, to, storage))
      terminal.result(
        { file: options.output },
        `${options.output}: check it with "mcpworks audit check-consistency" and the log's public key (audit.pub), on any machine.`,
      )
    })

  audit
    .command('check-consistency <file>')
    .description(
      'Checks a file of "audit prove-consistency" with nothing but the public key. Needs no server and no log.',
    )
    .requiredOption('--public-key <file>', "the log's verifier keys, as they were given to you")
    .option('--from-checkpoint <file>', 'the older checkpoint, as you kept it: the proof must be of it')
    .option('--to-checkpoint <file>', 'the newer checkpoint, as you kept it: the proof must be of it')
    .action(async (file: string, options: { publicKey: string; fromCheckpoint?: string; toCheckpoint?: string }) => {
      const { terminal } = context()
      const { checkConsistency } = await import('../../audit/index.ts')
      const { fromCheckpoint, toCheckpoint } = options
      const kept = {
        ...(fromCheckpoint === undefined ? {} : { from: readEvidence(fromCheckpoint) }),
        ...(toCheckpoint === undefined ? {} : { to: readEvidence(toCheckpoint) }),
      }
      const verdict = checkConsistency(readEvidence(file), readEvidence(options.publicKey), kept)
      const json = JSON.parse(JSON.stringify(verdict)) as JsonObject
      const text = verdict.ok
        ? `CONSISTENT: ${verdict.to.origin} with ${verdict.to.size} records continues ${verdict.from.origin} with ${verdict.from.size}.`
        : `NOT CONSISTENT: ${printableLine(verdict.problem)}`
      terminal.result(json, printable(text))
      if (!verdict.ok) process.exitCode = exitCode.failed
    })
}
