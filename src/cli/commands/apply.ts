import type { Command } from 'commander'
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/index.ts'
import { problemLine } from '../api-client.ts'
import { CliError } from '../cli-error.ts'
import type { CommandContext } from '../context.ts'
import { exitCode } from '../exit-code.ts'
import { objects } from './rows.ts'

/** `mcpworks apply -f DIR`. */
export function addApplyCommand(program: Command, context: () => CommandContext): void {
  program
    .command('apply')
    .description('Makes a namespace be what a directory says: agents, functions, policies. All of it or nothing.')
    .requiredOption('-f, --file <directory>', 'the directory (namespace.yaml, policies/, services/)')
    .option('--dry-run', 'only show what would change')
    .option('-m, --comment <text>', 'why; kept with the policies and in the record', '')
    .option('--base <policy set>', 'refuse where these are not the policies in force any more (sha256:…)')
    .action(async (options: { file: string; dryRun?: boolean; comment: string; base?: string }) => {
      const { terminal, api } = context()
      const { readDesiredState } = await import('../../app/index.ts')
      const read = await readDesiredState(options.file)
      if (!read.ok) {
        const lines = read.problems.map((problem) => `  ${problemLine({ ...problem })}`)
        throw new CliError(
          exitCode.usage,
          `${options.file} cannot be applied; nothing was changed:\n${lines.join('\n')}`,
          null,
          {
            problems: read.problems,
          },
        )
      }
      const answer = await api().call('state.apply', {
        namespace: read.namespace,
        files: read.files,
        dryRun: options.dryRun === true,
        comment: options.comment,
        base: options.base ?? null,
      })
      terminal.result(answer, planText(read.namespace, answer, options.dryRun === true))
    })
}

function planText(namespace: string, answer: JsonObject, dryRun: boolean): string {
  const changes = objects(answer.changes)
  const warnings = objects(answer.warnings).map((warning) => `  warning: ${problemLine(warning)}`)
  if (changes.length === 0) return [`${namespace}: nothing to change.`, ...warnings].join('\n')
  const sign = new Map<JsonValue | undefined, string>([
    ['add', '+'],
    ['change', '~'],
    ['remove', '-'],
  ])
  const lines = changes.map(
    (change) =>
      `  ${sign.get(change.change) ?? '?'} ${String(change.kind)} ${String(change.name)}${detailOf(change.detail)}`,
  )
  return [`${namespace}: ${dryRun ? 'would change' : 'changed'}`, ...lines, ...warnings].join('\n')
}

function detailOf(detail: JsonValue | undefined): string {
  if (typeof detail === 'string' && detail !== '') return `  ${detail}`
  return isJsonObject(detail) ? `  ${JSON.stringify(detail)}` : ''
}
