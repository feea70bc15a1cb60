import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { InvalidArgumentError, Option, type Command } from 'commander'
import { CliError } from '../cli-error.ts'
import type { CommandContext } from '../context.ts'
import { exitCode } from '../exit-code.ts'
import { chooseNamespace, namespaceOption } from '../namespace-option.ts'
import { printableJson } from '../printable.ts'
import { objects } from './rows.ts'

interface EventsOptions {
  readonly namespace?: string
  readonly format: string
  readonly after?: number
  readonly cursor?: string
  readonly follow?: boolean
}

/** `mcpworks audit events`. */
export function addEventsCommand(audit: Command, context: () => CommandContext): void {
  audit
    .command('events')
    .description('Writes the log as events for other systems, one JSON object a line, oldest first')
    .option(...namespaceOption)
    .addOption(
      new Option('--format <format>', 'records as they are, OCSF API Activity (one event a call), or CloudEvents')
        .choices(['record', 'ocsf', 'cloudevents'])
        .default('record'),
    )
    .option('--after <position>', 'begin after this position of the log (default: from its beginning)', position)
    .option(
      '--cursor <file>',
      'go on after the position in this file, and keep it there: nothing is left out, and what was written when this was killed comes again with the same id',
    )
    .option('-f, --follow', 'go on until interrupted')
    .action(async (options: EventsOptions) => writeEvents(options, context()))
}

async function writeEvents(options: EventsOptions, current: CommandContext): Promise<void> {
  const namespace = await chooseNamespace(options.namespace, current)
  const limit = 500
  let after = options.after ?? (options.cursor === undefined ? -1 : readCursor(options.cursor))
  for (;;) {
    const answer = await current.api().call('audit.events', {
      namespace,
      format: options.format,
      after,
      limit,
      waitSeconds: options.follow === true ? 30 : 0,
    })
    const events = objects(answer.events)
    for (const event of events) await writeLine(printableJson(event))
    const next = Number(answer.lastIndex)
    if (options.cursor !== undefined && next !== after) keepCursor(options.cursor, next)
    after = next
    if (answer.more !== true && options.follow !== true) return
  }
}

/** Waits for the reader: a position is kept only once everything up to it was taken. */
function writeLine(line: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(`${line}\n`, (error) => {
      if (error == null) resolve()
      else reject(error)
    })
  })
}

/** @throws CliError where the file holds something else: a cursor must not begin again by mistake. */
function readCursor(path: string): number {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return -1
    throw new CliError(exitCode.usage, `${path} cannot be read.`, 'Check the path and its permissions')
  }
  if (/^(0|[1-9]\d{0,15})\n$/.test(text)) return Number(text)
  throw new CliError(exitCode.usage, `${path} holds no position of a log.`, 'Name the file of an earlier run, or none')
}

function keepCursor(path: string, at: number): void {
  writeFileSync(`${path}.new`, `${at}\n`, { flush: true })
  renameSync(`${path}.new`, path)
}

function position(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < -1) throw new InvalidArgumentError('write a position, -1 or more')
  return value
}
