import type { Command } from 'commander'
import type { JsonObject } from '../../kernel/index.ts'
import { problemLine } from '../api-client.ts'
import { CliError } from '../cli-error.ts'
import type { CommandContext } from '../context.ts'
import { chooseNamespace, namespaceOption } from '../namespace-option.ts'
import { exitCode } from '../exit-code.ts'
import { explainText } from '../explain-text.ts'
import { addPolicyAnalysisCommands } from './policy-analysis.ts'
import { addPolicyReplayCommand } from './policy-replay.ts'
import { addPolicyShadowCommands } from './policy-shadow.ts'
import { addPolicyTemplateCommands } from './policy-templates.ts'
import { addPolicyFactsCommand } from './policy-facts.ts'
import { addPolicyVersionCommands } from './policy-versions.ts'
import { readPolicyFiles } from '../read-policy-files.ts'
import { parseArguments } from '../parse-arguments.ts'
import { readPolicyCases } from '../read-policy-cases.ts'
import { objects } from './rows.ts'

/** `mcpworks policy check|test|explain|history|show|activate|rollback|template`. */
export function addPolicyCommands(program: Command, context: () => CommandContext): void {
  const policy = program.command('policy').description('Policies: who may call what')

  policy
    .command('check [directory]')
    .description('Checks the policy files of a directory against the tools of a namespace; changes nothing')
    .option(...namespaceOption)
    .option('--cedar', 'print what was checked as Cedar: short rules as they are compiled')
    .action(async (directory: string | undefined, options: { namespace?: string; cedar?: boolean }) => {
      const current = context()
      const { terminal, api } = current
      const namespace = await chooseNamespace(options.namespace, current)
      const files = directory === undefined ? null : await readPolicyFiles(directory)
      const answer = await api().call('policy.check', { namespace, files })
      const problems = objects(answer.problems).map((problem) => `${String(problem.severity)}: ${problemLine(problem)}`)
      const head =
        answer.ok === true
          ? `No errors. ${String(answer.policyCount)} policies with the built-in ones.`
          : 'The policies have mistakes. Those in force stay in force.'
      const cedar = objects(options.cedar === true ? answer.cedar : []).map(
        ({ file, text }) => `\n// ${String(file)}\n${String(text).trim()}`,
      )
      terminal.result(answer, [head, ...problems, ...cedar].join('\n'))
      if (answer.ok !== true) process.exitCode = exitCode.failed
    })

  policy
    .command('test <cases>')
    .description(
      'Decides the calls of a YAML file of cases, or of all .cases.yaml files of a directory, and compares with what they expect; changes nothing',
    )
    .option(...namespaceOption)
    .option('--with <directory>', 'under the policy files of this directory instead of those in force')
    .action(async (path: string, options: { namespace?: string; with?: string }) => {
      const current = context()
      const { terminal, api } = current
      const cases = await readPolicyCases(path)
      const namespace = await chooseNamespace(options.namespace, current)
      const files = options.with === undefined ? null : await readPolicyFiles(options.with)
      const answer = await api().call('policy.test', { namespace, files, cases })
      const results = objects(answer.results)
      const failed = results.filter((result) => problemsOf(result).length > 0)
      const lines = results.flatMap((result) => [
        `${problemsOf(result).length === 0 ? 'ok    ' : 'FAILED'}  ${String(result.name)}`,
        ...problemsOf(result).map((problem) => `        ${problem}`),
      ])
      terminal.result(
        answer,
        [...lines, `${results.length - failed.length} passed, ${failed.length} failed`].join('\n'),
      )
      if (failed.length > 0) process.exitCode = exitCode.failed
    })

  policy
    .command('explain')
    .description('Tells what an agent may call, who may call a tool, or how one call would be decided and why')
    .option(...namespaceOption)
    .option('--agent <agent>', 'what this agent may call')
    .option('--tool <tool>', 'who may call this tool')
    .option('--args <json>', 'with --agent and --tool: how this call would be decided')
    .action(async (options: { namespace?: string; agent?: string; tool?: string; args?: string }) => {
      if (options.agent === undefined && options.tool === undefined) {
        throw new CliError(exitCode.usage, 'Say what to explain.', 'Give --agent, --tool, or both with --args')
      }
      const current = context()
      const { terminal, api } = current
      const namespace = await chooseNamespace(options.namespace, current)
      const answer = await api().call('policy.explain', {
        namespace,
        agent: options.agent ?? null,
        tool: options.tool ?? null,
        arguments: options.args === undefined ? null : parseArguments(options.args),
      })
      terminal.result(answer, explainText(answer))
    })
  addPolicyReplayCommand(policy, context)
  addPolicyFactsCommand(policy, context)
  addPolicyShadowCommands(policy, context)
  addPolicyVersionCommands(policy, context)
  addPolicyAnalysisCommands(policy, context)
  addPolicyTemplateCommands(policy, context)
}

function problemsOf(result: JsonObject): string[] {
  return Array.isArray(result.problems) ? result.problems.map(String) : []
}
