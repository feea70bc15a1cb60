import type { Command } from 'commander'
import { isJsonObject, type JsonObject } from '../../kernel/index.ts'
import type { CommandContext } from '../context.ts'
import { exitCode } from '../exit-code.ts'
import { chooseNamespace, namespaceOption } from '../namespace-option.ts'
import { parseArguments } from '../parse-arguments.ts'
import { readPolicyFiles } from '../read-policy-files.ts'
import { table } from '../terminal.ts'
import { objects } from './rows.ts'

/** `mcpworks policy facts`. */
export function addPolicyFactsCommand(policy: Command, context: () => CommandContext): void {
  policy
    .command('facts <tool>')
    .description('Shows the facts that policies would read of a call with these arguments; decides nothing')
    .option(...namespaceOption)
    .requiredOption('--args <json>', 'the arguments of the call')
    .option('--with <directory>', 'as the facts.yaml of this directory binds them instead of the one in force')
    .action(async (tool: string, options: { namespace?: string; args: string; with?: string }) => {
      const args = parseArguments(options.args)
      const current = context()
      const { terminal, api } = current
      const files = options.with === undefined ? null : await readPolicyFiles(options.with)
      const namespace = await chooseNamespace(options.namespace, current)
      const answer = await api().call('policy.facts', { namespace, tool, arguments: args, files })
      terminal.result(answer, factsText(tool, answer))
      const spend = isJsonObject(answer.spend) ? answer.spend.problem : null
      const failed = [answer.fault, spend, ...objects(answer.facts).map(({ problem }) => problem)]
      if (failed.some((problem) => problem !== null)) process.exitCode = exitCode.failed
    })
}

function factsText(tool: string, answer: JsonObject): string {
  if (typeof answer.fault === 'string') return answer.fault
  const facts = objects(answer.facts)
  if (facts.length === 0) return `No facts are bound to ${tool}.`
  const rows = facts.map(({ name, extract, from, value, problem }) => [
    String(name),
    `${String(extract)} of ${Array.isArray(from) ? from.join(', ') : ''}`,
    typeof problem === 'string' ? problem : value === null ? 'none: its argument is not given' : JSON.stringify(value),
  ])
  const { spend } = answer
  const spent = !isJsonObject(spend)
    ? []
    : typeof spend.problem === 'string'
      ? [`The call is denied, whatever policies say: ${spend.problem}`]
      : [`The call spends ${String(spend.minor)} in the minor unit of ${String(spend.currency)}.`]
  return [table(['FACT', 'DERIVED BY', 'VALUE'], rows), ...spent].join('\n')
}
