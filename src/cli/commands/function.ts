import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import type { Command } from 'commander'
import { isJsonObject, type JsonObject } from '../../kernel/index.ts'
import { CliError } from '../cli-error.ts'
import type { CommandContext } from '../context.ts'
import { chooseNamespace, namespaceOption } from '../namespace-option.ts'
import { exitCode } from '../exit-code.ts'
import { mcpRequest } from '../mcp-client.ts'
import { table } from '../terminal.ts'
import { objects, timeOf } from './rows.ts'

/** `mcpworks function add|list|show|call`. */
export function addFunctionCommands(program: Command, context: () => CommandContext): void {
  const command = program.command('function').description('Hosted functions')

  command
    .command('add <file...>')
    .description('Adds functions, or new versions of them, from their source files (.py, .ts) and data files')
    .option(...namespaceOption)
    .requiredOption('-s, --service <name>', 'service that the functions belong to')
    .action(async (paths: string[], options: { namespace?: string; service: string }) => {
      const current = context()
      const { terminal, api } = current
      const namespace = await chooseNamespace(options.namespace, current)
      const files = await Promise.all(
        paths.map(async (path) => ({ path: basename(path), base64: await readBase64(path) })),
      )
      const answer = await api().call('function.add', { namespace, service: options.service, files })
      const lines = objects(answer.functions).map((row) => `${String(row.tool)}  ${String(row.versionHash)}`)
      terminal.result(answer, `In force now:\n${lines.map((line) => `  ${line}`).join('\n')}`)
    })

  command
    .command('list')
    .description('Lists the functions of a namespace')
    .option(...namespaceOption)
    .action(async (options: { namespace?: string }) => {
      const current = context()
      const { terminal, api } = current
      const namespace = await chooseNamespace(options.namespace, current)
      const answer = await api().call('function.list', { namespace })
      const rows = objects(answer.functions).map((row) => [
        String(row.tool),
        String(row.runtime),
        String(row.versionHash).slice(0, 19),
        timeOf(row.createdAtMs),
        String(row.description).split('\n')[0]?.slice(0, 60) ?? '',
      ])
      terminal.result(answer, table(['TOOL', 'RUNTIME', 'VERSION', 'MADE', 'DESCRIPTION'], rows))
    })

  command
    .command('show <tool>')
    .description('Shows a function: schemas, limits, source and versions')
    .option(...namespaceOption)
    .action(async (tool: string, options: { namespace?: string }) => {
      const current = context()
      const { terminal, api } = current
      const namespace = await chooseNamespace(options.namespace, current)
      const answer = await api().call('function.show', { namespace, tool })
      terminal.result(answer, showText(answer))
    })

  command
    .command('call <tool>')
    .description('Calls a tool over MCP as the agent whose key is in MCPWORKS_AGENT_KEY')
    .requiredOption('-n, --namespace <name>', 'namespace')
    .option('-a, --args <json>', 'arguments as a JSON object, or @file', '{}')
    .action(async (tool: string, options: { namespace: string; args: string }) => {
      const { terminal, agentConnection } = context()
      const result = await mcpRequest(agentConnection(), options.namespace, 'tools/call', {
        name: tool,
        arguments: await argumentsOf(options.args),
      })
      terminal.result(result, resultText(result))
      if (result.isError === true) process.exitCode = exitCode.failed
    })
}

async function readBase64(path: string): Promise<string> {
  try {
    return (await readFile(path)).toString('base64')
  } catch {
    throw new CliError(exitCode.usage, `${path} cannot be read.`, 'Check the path and its permissions')
  }
}

async function argumentsOf(text: string): Promise<JsonObject> {
  const source = text.startsWith('@') ? Buffer.from(await readBase64(text.slice(1)), 'base64').toString('utf8') : text
  let value: unknown
  try {
    value = JSON.parse(source)
  } catch {
    throw new CliError(
      exitCode.usage,
      '--args is not valid JSON.',
      `Write an object in single quotes: --args '{"n": 5}'`,
    )
  }
  if (!isJsonObject(value))
    throw new CliError(exitCode.usage, '--args is not a JSON object.', `Write an object: --args '{"n": 5}'`)
  return value
}

function showText(answer: JsonObject): string {
  const versions = objects(answer.versions).map(
    (row) =>
      `  ${String(row.versionHash)}  ${timeOf(row.createdAtMs)}  ${String(row.createdBy)}${row.active === true ? '  active' : ''}`,
  )
  const files = objects(answer.files).map(
    (file) =>
      `--- ${String(file.path)}\n${typeof file.text === 'string' ? file.text : `(${String(file.bytes)} bytes)`}`,
  )
  return [
    `${String(answer.tool)}  (${String(answer.runtime)})`,
    String(answer.description),
    '',
    `input   ${JSON.stringify(answer.inputSchema)}`,
    `output  ${JSON.stringify(answer.outputSchema)}`,
    ...(Array.isArray(answer.labels) && answer.labels.length > 0 ? [`labels  ${answer.labels.join(', ')}`] : []),
    ...(Array.isArray(answer.calls) && answer.calls.length > 0 ? [`calls   ${answer.calls.join(', ')}`] : []),
    `limits  ${JSON.stringify(answer.limits)}`,
    'versions',
    ...versions,
    ...files,
  ].join('\n')
}

function resultText(result: JsonObject): string {
  const texts = objects(result.content).map((part) =>
    typeof part.text === 'string' ? part.text : `[${String(part.type)}]`,
  )
  const meta = isJsonObject(result._meta) ? result._meta : {}
  const call = meta['mcpworks/call']
  const said = typeof call !== 'string' || texts.some((text) => text.includes(call))
  return [...texts, ...(said ? [] : [`call ${call}`])].join('\n')
}
