import { InvalidArgumentError, Option, type Command } from 'commander'
import type { CallProofVerdict, RecordKind } from '../../audit/index.ts'
import { isJsonObject, type JsonObject } from '../../kernel/index.ts'
import { CliError } from '../cli-error.ts'
import type { CommandContext } from '../context.ts'
import { chooseNamespace, namespaceOption } from '../namespace-option.ts'
import { readEvidence, writeNew } from '../evidence-files.ts'
import { exitCode } from '../exit-code.ts'
import { printable, printableLine } from '../printable.ts'
import { addConsistencyCommands } from './audit-consistency.ts'
import { addEventsCommand } from './audit-events.ts'
import { addExportersCommand } from './audit-exporters.ts'
import { addKeyCommand } from './audit-key.ts'
import { addSearchCommands } from './audit-search.ts'
import { addTreeCommands } from './audit-trees.ts'
import {
  demandOf,
  keptEvidence,
  keptNotes,
  quorumOption,
  witnessOption,
  type VerifyCommandOptions,
} from './audit-witnesses.ts'
import { addAuditReplayCommand } from './audit-replay.ts'
import { addHoldCommands } from './audit-hold.ts'
import { addRecordingCommands } from './audit-recording.ts'
import { objects } from './rows.ts'

/** `mcpworks audit tail|verify|export|prove|check-proof` and `mcpworks why`. */
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

  addEventsCommand(audit, context)
  addExportersCommand(audit, context)
  addKeyCommand(audit, context)
  addConsistencyCommands(audit, context)
  addSearchCommands(audit, context)
  addTreeCommands(audit, context)
  addAuditReplayCommand(audit, context)
  addRecordingCommands(audit, context)
  addHoldCommands(audit, context)

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
    .option(
      '--kept-checkpoints <file...>',
      'files to which checkpoints were added one a line, as publishing.checkpoints.file of the configuration is',
      [],
    )
    .option(...witnessOption)
    .option(...quorumOption)
    .option('--bundle <directory>', 'verify what "audit export" wrote, in place of the data directory')
    .action(async (options: VerifyCommandOptions) => {
      const { terminal, config } = context()
      if (options.bundle !== undefined) {
        const { verifyLogBundle } = await import('../../app/index.ts')
        if (options.publicKey === undefined) throw noKey()
        const key = readEvidence(options.publicKey)
        const report = await verifyLogBundle(options.bundle, key, await keptNotes(options), await demandOf(options))
        terminal.result(JSON.parse(JSON.stringify(report.json)) as JsonObject, printable(report.text))
        if (!report.ok) process.exitCode = exitCode.failed
        return
      }
      const kept = await keptEvidence(options, terminal)
      const { verifyDataDirectory } = await import('../../app/index.ts')
      const { dataDirectory, storage } = config()
      const evidence = {
        ...(options.publicKey === undefined ? {} : { publicKeyLine: readEvidence(options.publicKey).trim() }),
        keptCheckpoints: kept,
      }
      const report = await verifyDataDirectory(dataDirectory, (text) => terminal.note(text), evidence, storage)
      terminal.result(report.json, report.text)
      if (!report.ok) process.exitCode = exitCode.failed
    })

  audit
    .command('export')
    .description(
      'Writes the signed log of a namespace as files that other tools verify too: records, tiles, checkpoints. No arguments or results. Needs no running server.',
    )
    .option(...namespaceOption)
    .requiredOption('-o, --output <directory>', 'directory to write, which must be empty or not there')
    .action(async (options: { namespace?: string; output: string }) => {
      const current = context()
      const { terminal, config } = current
      const namespace = await chooseNamespace(options.namespace, current)
      const { exportLog } = await import('../../app/index.ts')
      const { dataDirectory, storage } = config()
      const written = await exportLog(dataDirectory, namespace, options.output, storage)
      terminal.result(
        { directory: options.output, ...written },
        `${options.output}: ${written.records} records of ${namespace} under ${written.checkpoints} checkpoints.`,
      )
      if (written.gone > 0)
        terminal.note(
          `The texts of ${written.gone} records were let go: the records of kind retention in the bundle say when. Their hashes are in it.`,
        )
      if (written.cosignatures === null)
        terminal.note('Cosignatures of witnesses could not be read: the checkpoints are without them.')
    })

  audit
    .command('prove <call>')
    .description('Writes the records of a call with what proves that they are in the log, for somebody elsewhere')
    .option(...namespaceOption)
    .requiredOption('-o, --output <file>', 'file to write; one that is there is not replaced')
    .action(async (call: string, options: { namespace?: string; output: string }) => {
      const current = context()
      const { terminal, api } = current
      const namespace = await chooseNamespace(options.namespace, current)
      const proof = await api().call('audit.prove', { namespace, call })
      writeNew(options.output, `${JSON.stringify(proof, null, 1)}\n`)
      terminal.result(
        { file: options.output },
        `${options.output}: check it with "mcpworks audit check-proof" and the log's public key (audit.pub), on any machine.`,
      )
    })

  audit
    .command('check-proof <file>')
    .description('Checks a file of "audit prove" with nothing but the public key. Needs no server and no log.')
    .requiredOption('--public-key <file>', "the log's verifier key, as it was given to you")
    .option(...witnessOption)
    .option(...quorumOption)
    .action(async (file: string, options: { publicKey: string; witness: string[]; quorum?: number }) => {
      const { terminal } = context()
      const { checkCallProof } = await import('../../audit/index.ts')
      const verdict = checkCallProof(readEvidence(file), readEvidence(options.publicKey), await demandOf(options))
      const json = JSON.parse(JSON.stringify(verdict)) as JsonObject
      terminal.result(json, verdict.ok ? provenText(verdict) : `NOT PROVEN: ${printableLine(verdict.problem)}`)
      if (!verdict.ok) process.exitCode = exitCode.failed
    })

  const why = program
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

  why
    .command('not <call>')
    .description('Why a call was refused: which rule, which condition, and what would change it')
    .option(...namespaceOption)
    .action(async (call: string, _options: object, command: Command) => {
      const current = context()
      const { terminal, api } = current
      // The command above it takes the same option, wherever it stands.
      const given = command.optsWithGlobals<{ namespace?: string }>().namespace
      const namespace = await chooseNamespace(given, current)
      const answer = await api().call('audit.why-not', { namespace, call })
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
  'approval',
  'start',
  'shadow',
  'quarantine',
  'period',
  'alarm',
  'key-change',
  'retention',
  'erasure',
  'legal-hold',
]

/** Reads `--count`. */
function recordCount(text: string): number {
  const count = Number(text)
  if (!Number.isInteger(count) || count < 1 || count > 1000)
    throw new InvalidArgumentError('write a number from 1 to 1000')
  return count
}

/** Whoever can change a bundle can change the key that lies in it too. */
function noKey(): CliError {
  return new CliError(
    exitCode.usage,
    'A bundle is checked with the key that you were given: --public-key FILE.',
    'It is audit.pub of the data directory; get it from somebody who you trust',
  )
}

function provenText({ call, namespace, records }: Extract<CallProofVerdict, { ok: true }>): string {
  const lines = records.map(
    ({ kind, time, index, treeSize, witnesses }) =>
      `  ${kind} of ${time}, record ${index} of ${treeSize} under the signature${witnesses > 0 ? `, cosigned by ${witnesses} witnesses` : ''}`,
  )
  return printable([`PROVEN: call ${call} of ${namespace} is in the log as this file has it:`, ...lines].join('\n'))
}

/** One line of `audit tail`. */
function recordLine(record: JsonObject): string {
  const body: JsonObject = isJsonObject(record.record) ? record.record : {}
  const head = `${String(record.index).padStart(6)}  ${String(body.time)}  ${String(record.kind).padEnd(10)}`
  return printableLine(`${head}  ${String(record.summary ?? '')}  ${String(record.call)}`)
}
