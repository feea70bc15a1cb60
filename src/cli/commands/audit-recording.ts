import { Argument, InvalidArgumentError, type Command } from 'commander'
import type { JsonObject } from '../../kernel/index.ts'
import { CliError } from '../cli-error.ts'
import type { CommandContext } from '../context.ts'
import { exitCode } from '../exit-code.ts'
import { chooseNamespace, namespaceOption } from '../namespace-option.ts'

const levels = ['metadata', 'request', 'request_response', 'default']

/** `mcpworks audit level` and `mcpworks audit retention show|set`. */
export function addRecordingCommands(audit: Command, context: () => CommandContext): void {
  audit
    .command('level')
    .description('How much of each call is kept beside its records, encrypted; without a level, shows it')
    .addArgument(new Argument('[level]', 'nothing, arguments, or arguments and results').choices(levels))
    .option(...namespaceOption)
    .action(async (level: string | undefined, options: { namespace?: string }) => {
      const current = context()
      const namespace = await chooseNamespace(options.namespace, current)
      const answer =
        level === undefined
          ? await current.api().call('recording.show', { namespace })
          : await current.api().call('recording.set', { namespace, level })
      current.terminal.result(answer, recordingText(answer))
    })

  const retention = audit.command('retention').description('For how many days records and what is beside them are kept')

  retention
    .command('show')
    .description('Shows what is kept of the calls of a namespace, and for how long')
    .option(...namespaceOption)
    .action(async (options: { namespace?: string }) => {
      const current = context()
      const namespace = await chooseNamespace(options.namespace, current)
      const answer = await current.api().call('recording.show', { namespace })
      current.terminal.result(answer, recordingText(answer))
    })

  retention
    .command('set')
    .description('Sets after how many days they are deleted. What is deleted cannot be brought back.')
    .option(...namespaceOption)
    .option('--bodies <days>', 'arguments, results and engine inputs: a number of days, "forever" or "default"', days)
    .option('--records <days>', 'the texts of the records: a number of days, "forever" or "default"', days)
    .action(async (options: { namespace?: string; bodies?: string; records?: string }) => {
      const { bodies, records } = options
      if (bodies === undefined && records === undefined)
        throw new CliError(exitCode.usage, 'Say for how long.', 'Give --bodies DAYS, --records DAYS, or both')
      const current = context()
      const namespace = await chooseNamespace(options.namespace, current)
      const answer = await current.api().call('recording.set', {
        namespace,
        ...(bodies === undefined ? {} : { bodyDays: bodies }),
        ...(records === undefined ? {} : { recordDays: records }),
      })
      current.terminal.result(answer, recordingText(answer))
    })
}

function recordingText(answer: JsonObject): string {
  const defaults = Array.isArray(answer.defaults) ? answer.defaults : []
  const line = (name: string, label: string, value: string) =>
    `${label} ${value}${defaults.includes(name) ? ' (the default of this server)' : ''}`
  return [
    line('level', 'kept beside the records: ', levelWords[String(answer.level)] ?? String(answer.level)),
    line('bodyDays', 'arguments and results:   ', daysText(answer.bodyDays)),
    line('recordDays', 'texts of records:        ', daysText(answer.recordDays)),
  ].join('\n')
}

const levelWords: Readonly<Record<string, string>> = {
  metadata: 'nothing (metadata)',
  request: 'arguments (request)',
  request_response: 'arguments and results (request_response)',
}

function daysText(days: unknown): string {
  return days === 'forever' ? 'for ever' : `${String(days)} days`
}

function days(text: string): string {
  if (text === 'forever' || text === 'default' || /^[1-9][0-9]{0,4}$/.test(text)) return text
  throw new InvalidArgumentError('It is a number of days, "forever" or "default".')
}
