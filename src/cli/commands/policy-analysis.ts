import { Option, type Command } from 'commander'
import { isJsonObject, type JsonObject } from '../../kernel/index.ts'
import { problemLine } from '../api-client.ts'
import type { CommandContext } from '../context.ts'
import { exitCode } from '../exit-code.ts'
import { chooseNamespace, namespaceOption } from '../namespace-option.ts'
import { readPolicyFiles } from '../read-policy-files.ts'
import { objects } from './rows.ts'

/** `mcpworks policy analyze` and `policy can`. */
export function addPolicyAnalysisCommands(policy: Command, context: () => CommandContext): void {
  policy
    .command('analyze [directory]')
    .description(
      'Looks for rules that can never apply, permits that are always forbidden, rules that can fail, tools of nobody, agents of everything; changes nothing',
    )
    .option(...namespaceOption)
    .option('--strict', 'exit with 1 if anything is found')
    .action(async (directory: string | undefined, options: { namespace?: string; strict?: boolean }) => {
      const current = context()
      const namespace = await chooseNamespace(options.namespace, current)
      const files = directory === undefined ? null : await readPolicyFiles(directory)
      const answer = await current.api().call('policy.analyze', { namespace, files })
      current.terminal.result(answer, analysisText(answer))
      const found = objects(answer.findings).length + objects(answer.problems).length
      if (options.strict === true && found > 0) process.exitCode = exitCode.failed
    })

  policy
    .command('can <agent> <tool>')
    .description('Tells whether an agent can ever call a tool: with a call that is allowed, or why there is none')
    .option(...namespaceOption)
    .option('--with <directory>', 'under the policy files of this directory instead of those in force')
    .addOption(new Option('--expect <answer>', 'exit with 1 for any other answer').choices(['yes', 'no']))
    .action(
      async (agent: string, tool: string, options: { namespace?: string; with?: string; expect?: 'yes' | 'no' }) => {
        const current = context()
        const namespace = await chooseNamespace(options.namespace, current)
        const files = options.with === undefined ? null : await readPolicyFiles(options.with)
        const answer = await current.api().call('policy.can', { namespace, agent, tool, files })
        current.terminal.result(answer, canText(answer))
        if (options.expect !== undefined && options.expect !== answer.answer) process.exitCode = exitCode.failed
      },
    )
}

function analysisText(answer: JsonObject): string {
  const findings = objects(answer.findings).map((finding) => {
    const others = Array.isArray(finding.others) && finding.others.length > 0 ? `  (${finding.others.join(', ')})` : ''
    return `${String(finding.kind).padEnd(20)} ${String(finding.policyId ?? finding.subject)}: ${String(finding.message)}${others}`
  })
  const problems = objects(answer.problems).map((problem) => `${String(problem.severity)}: ${problemLine(problem)}`)
  const cut = Array.isArray(answer.cutShort) ? answer.cutShort.map(String) : []
  const rest =
    cut.length === 0 ? [] : [`Too much to look at everything of: ${cut.join(', ')}. Nothing is said of these.`]
  const looked = `${String(answer.policies)} policies, ${String(answer.agents)} agents, ${String(answer.tools)} tools`
  const head = findings.length + problems.length === 0 ? `Nothing found in ${looked}.` : `Looked at ${looked}.`
  return [...findings, ...problems, ...rest, head].join('\n')
}

function canText(answer: JsonObject): string {
  const who = `${String(answer.agent)} can call ${String(answer.tool)}`
  const effort = `${String(answer.steps)} choices and ${String(answer.tried)} calls looked at`
  if (answer.answer === 'yes') {
    const rules = Array.isArray(answer.rules) ? answer.rules.join(', ') : ''
    const found = isJsonObject(answer.case) ? answer.case : {}
    const lines = Object.entries(found).map(([key, value]) => `  ${key}: ${JSON.stringify(value)}`)
    return [`yes: ${who}, by ${rules}. This call is allowed:`, ...lines].join('\n')
  }
  if (answer.answer === 'unknown')
    return `unknown: no call was found with which ${who}, and no proof that there is none (${effort}).`
  return [
    `no: there is no call with which ${who}.`,
    ...objects(answer.because).map((one) => `  ${obstacleText(one)}`),
  ].join('\n')
}

function obstacleText({ permit, why, forbids }: JsonObject): string {
  const named = Array.isArray(forbids) ? forbids.join(', ') : ''
  switch (why) {
    case 'never-true':
      return `${String(permit)}: no call can make its conditions true.`
    case 'always-forbidden':
      return `${String(permit)}: whatever it permits is forbidden${named === '' ? '' : ` by ${named}`}.`
    case 'misfit':
      return `${named} does not fit the tool, and denies every call of it.`
    default:
      return 'No permit has this agent and this tool in its scope.'
  }
}
