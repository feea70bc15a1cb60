import { readFileSync } from 'node:fs'
import { InvalidArgumentError, Option, type Command } from 'commander'
import type { RecordKind } from '../../audit/index.ts'
import { isJsonObject, type JsonObject } from '../../kernel/index.ts'
import { CliError } from '../cli-error.ts'
import type { CommandContext } from '../context.ts'
import { chooseNamespace, namespaceOption } from '../namespace-option.ts'
import { exitCode } from '../exit-code.ts'
import { printableLine } from '../printable.ts'
import { objects } from './rows.ts'

/** `mcpworks audit tail|verify` and `mcpworks why`. */
export function addAuditCommands(program: Command, context: () => CommandContext): void {
  const audit = program.command('audit').description('The decision log')

  audit
    .command('tail')
    .description('Shows the newest records of a namespace')
    .option(...namespaceOption)
    .option('-c, --count <number>', 'look at this many of the newest records, 1 to 1000', recordCount, 20)
    .addOption(new Option('--kind <kind>', 'only records of this kind').choices(recordKinds))
    .option('--agent <agent>', 'only calls of this agent')
    .option('--reads', 'also the records of reading the log')
    .option('-f, --follow', 'go on showing new records until interrupted')
    .action(
      async (options: {
        namespace?: string
        count: number
        kind?: string
        agent?: string
        reads?: boolean
        follow?: boolean
      }) => {
        const current = context()
        const { terminal, api } = current
        const namespace = await chooseNamespace(options.namespace, current)
        const filter = {
          namespace,
          kind: options.kind ?? null,
          principal: options.agent === undefined ? null : `${namespace}/${options.agent}`,
          reads: options.reads === true,
        }
        const first = await api().call('audit.tail', { ...filter, limit: options.count })
        const newest = objects(first.records)
        for (const record of newest) terminal.line(record, recordLine(record))
        if (newest.length === 0)
          terminal.note(`Nothing to show among the newest ${options.count} records of ${namespace}.`)
        let after = Number(first.lastIndex ?? -1)
        while (options.follow === true) {
          const next = await api().call('audit.tail', { ...filter, after, limit: 1000, waitSeconds: 30 })
          for (const record of objects(next.records)) terminal.line(record, recordLine(record))
          after = Number(next.lastIndex ?? after)
        }
      },
    )

  audit
    .command('verify')
    .description('Checks the whole log offline: every record, chain, tree and signature. Needs no running server.')
    .option(
      '--public-key <file>',
      "the log's verifier key as the auditor was given it (default: audit.pub beside the log)",
    )
    .option(
      '--checkpoint <file...>',
      'signed checkpoints that were kept elsewhere: they show a log that was put back',
      [],
    )
    .action(async (options: { publicKey?: string; checkpoint: string[] }) => {
      const { terminal, config } = context()
      const { verifyDataDirectory } = await import('../../app/index.ts')
      const { dataDirectory, storage } = config()
      const evidence = {
        ...(options.publicKey === undefined ? {} : { publicKeyLine: readEvidence(options.publicKey).trim() }),
        keptCheckpoints: options.checkpoint.map(readEvidence),
      }
      const report = await verifyDataDirectory(dataDirectory, (text) => terminal.note(text), evidence, storage)
      terminal.result(report.json, report.text)
      if (!report.ok) process.exitCode = exitCode.failed
    })

  program
    .command('why <call>')
    .description('Why a call was allowed or refused, what happened, and the proof')
    .option(...namespaceOption)
    .action(async (call: string, options: { namespace?: string }) => {
      const current = context()
      const { terminal, api } = current
      const namespace = await chooseNamespace(options.namespace, current)
      const answer = await api().call('audit.why', { namespace, call })
      terminal.result(answer, String(answer.text))
    })
}

/** The kinds of records, as they are written. */
const recordKinds: readonly RecordKind[] = [
  'decision',
  'outcome',
  'abandoned',
  'denied-at-door',
  'policy-change',
  'credential',
  'start',
]

/** Reads `--count`. */
function recordCount(text: string): number {
  const count = Number(text)
  if (!Number.isInteger(count) || count < 1 || count > 1000)
    throw new InvalidArgumentError('write a number from 1 to 1000')
  return count
}

/** @throws CliError where the file cannot be read: evidence that was named is never left out. */
function readEvidence(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    throw new CliError(exitCode.usage, `${path} cannot be read.`, 'Check the path and its permissions')
  }
}

/** One line of `audit tail`. */
function recordLine(record: JsonObject): string {
  const body: JsonObject = isJsonObject(record.record) ? record.record : {}
  const head = `${String(record.index).padStart(6)}  ${String(body.time)}  ${String(record.kind).padEnd(10)}`
  return printableLine(`${head}  ${String(record.summary ?? '')}  ${String(record.call)}`)
}
