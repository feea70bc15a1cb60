import { readFileSync } from 'node:fs'
import { InvalidArgumentError, type Command } from 'commander'
import { isJsonObject, type JsonObject } from '../../kernel/index.ts'
import { CliError } from '../cli-error.ts'
import type { CommandContext } from '../context.ts'
import { exitCode } from '../exit-code.ts'
import { chooseNamespace, namespaceOption } from '../namespace-option.ts'
import { table } from '../terminal.ts'
import { objects, timeOf } from './rows.ts'
import { durationSeconds } from './key.ts'

interface AddOptions {
  readonly namespace?: string
  readonly issuer?: string
  readonly github?: string
  readonly ref?: string
  readonly environment?: string
  readonly kubernetes?: string
  readonly spiffe?: string
  readonly claim: readonly [string, string][]
  readonly scope: string[]
  readonly label: string
  readonly expires?: number
}

/** `mcpworks binding add|list|remove|try`. */
export function addBindingCommands(program: Command, context: () => CommandContext): void {
  const binding = program
    .command('binding')
    .description('Bindings: which workloads of trusted issuers act as which agents, without a stored secret')
  addAdd(binding, context)
  addList(binding, context)
  addRemove(binding, context)
  addTry(binding, context)
}

function addAdd(binding: Command, context: () => CommandContext): void {
  binding
    .command('add <agent>')
    .description('Lets workloads whose claims all match act as an agent')
    .option(...namespaceOption)
    .option('--issuer <issuer>', 'issuer identifier (may be left out where one of the kind alone is trusted)')
    .option('--github <owner/repository>', 'GitHub Actions jobs of a repository')
    .option('--ref <ref>', 'with --github: of this branch or tag, such as refs/heads/main')
    .option('--environment <name>', 'with --github: of this deployment environment')
    .option('--kubernetes <namespace/name>', 'pods of a Kubernetes service account')
    .option('--spiffe <id>', 'a workload by its SPIFFE ID')
    .option(
      '--claim <name=value>',
      'a claim that must match; one * stands for characters other than / : @ (may be repeated)',
      claims,
      [],
    )
    .option('-s, --scope <scope...>', 'mcp for the namespace, admin for the management API', ['mcp'])
    .option('-l, --label <text>', 'what the binding is for', '')
    .option(
      '-e, --expires <duration>',
      'for how long it is good, such as 90d (default: until removed)',
      durationSeconds,
    )
    .action(async (agent: string, options: AddOptions) => {
      const current = context()
      const { terminal, api } = current
      const wanted = readWanted(options)
      const namespace = await chooseNamespace(options.namespace, current)
      const answer = await api().call('binding.add', {
        namespace,
        agent,
        issuer: options.issuer ?? null,
        ...wanted,
        label: options.label,
        scopes: options.scope,
        expiresInSeconds: options.expires ?? null,
      })
      for (const warning of Array.isArray(answer.warnings) ? answer.warnings : [])
        terminal.note(`Warning: ${String(warning)}`)
      const added = isJsonObject(answer.binding) ? answer.binding : {}
      terminal.result(
        answer,
        `Added binding ${String(added.id)}: ${matchText(added)} of ${String(added.issuer)} acts as ${namespace}/${agent}.\nNext: mcpworks binding try --token-file FILE -n ${namespace}`,
      )
    })
}

function addList(binding: Command, context: () => CommandContext): void {
  binding
    .command('list')
    .description('Lists the bindings of a namespace')
    .option(...namespaceOption)
    .action(async (options: { namespace?: string }) => {
      const current = context()
      const { terminal, api } = current
      const namespace = await chooseNamespace(options.namespace, current)
      const answer = await api().call('binding.list', { namespace })
      const rows = objects(answer.bindings).map((row) => [
        String(row.id),
        String(row.agent),
        String(row.issuer),
        matchText(row),
        Array.isArray(row.scopes) ? row.scopes.join(',') : '',
        timeOf(row.expiresAtMs),
        row.revokedAtMs === null ? 'active' : `removed ${timeOf(row.revokedAtMs)}`,
      ])
      terminal.result(answer, table(['BINDING', 'AGENT', 'ISSUER', 'CLAIMS', 'SCOPES', 'EXPIRES', 'STATUS'], rows))
    })
}

function addRemove(binding: Command, context: () => CommandContext): void {
  binding
    .command('remove <binding>')
    .description('Removes a binding; tokens issued under it end with the next request')
    .option(...namespaceOption)
    .action(async (id: string, options: { namespace?: string }) => {
      const current = context()
      const { terminal, api } = current
      const namespace = await chooseNamespace(options.namespace, current)
      const answer = await api().call('binding.remove', { namespace, binding: id })
      terminal.result(answer, `Removed binding ${id}.`)
    })
}

function addTry(binding: Command, context: () => CommandContext): void {
  binding
    .command('try')
    .description(
      'Tells which binding a token would match and why others do not. Its signature stays here: only header and claims are sent, and nothing is issued.',
    )
    .requiredOption('--token-file <file>', 'file with the token (JWT); - reads it from standard input')
    .option(...namespaceOption)
    .action(async (options: { namespace?: string; tokenFile: string }) => {
      const current = context()
      const { terminal, api } = current
      const read = readToken(options.tokenFile)
      const namespace = await chooseNamespace(options.namespace, current)
      const answer = await api().call('binding.try', { namespace, ...read })
      terminal.result(answer, tryText(answer))
      if (answer.agent === null || answer.problem !== null) process.exitCode = exitCode.failed
    })
}

function tryText(answer: JsonObject): string {
  const { issuer, problem, agent, mismatch } = answer
  const lines = [
    problem === null
      ? `Header and claims are good (issuer ${String(issuer)}).`
      : `It would be refused: ${String(problem)}.`,
    ...(agent === null
      ? typeof mismatch === 'string'
        ? [`It would be nobody: ${mismatch}.`]
        : []
      : [`It would act as ${String(agent)}, by binding ${String(answer.binding)}.`]),
    ...objects(answer.verdicts)
      .filter(({ matches }) => matches !== true)
      .map((verdict) => {
        const why = objects(verdict.mismatches).map(({ claim, why: how }) => `${String(claim)} ${String(how)}`)
        return `  not ${String(verdict.binding)} of ${String(verdict.agent)}: ${why.join(', ')}`
      }),
    'The signature was not checked.',
  ]
  return lines.join('\n')
}

/** Header and claims of a JWT; the signature is left out. @throws CliError where the file holds none. */
function readToken(file: string): { header: JsonObject; claims: JsonObject } {
  let text: string
  try {
    text = readFileSync(file === '-' ? 0 : file, 'utf8').trim()
  } catch {
    throw new CliError(exitCode.usage, `The file ${file} cannot be read.`, 'Check the path and its permissions.')
  }
  const [header, claims] = text.split('.').map(decodePart)
  if (!isJsonObject(header) || !isJsonObject(claims))
    throw new CliError(
      exitCode.usage,
      `The file ${file} holds no JWT.`,
      'It must be three parts of base64url with dots between.',
    )
  return { header, claims }
}

function decodePart(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
  } catch {
    return null
  }
}

/** The preset and the claims that the options stand for. @throws CliError where they do not fit together. */
function readWanted(options: AddOptions): { preset: string | null; match: JsonObject } {
  const { github, kubernetes, spiffe, ref, environment } = options
  const kinds = [github, kubernetes, spiffe].filter((kind) => kind !== undefined)
  if (kinds.length > 1) throw usage('Give one of --github, --kubernetes and --spiffe.')
  if (github === undefined && (ref !== undefined || environment !== undefined))
    throw usage('--ref and --environment go with --github.')
  const more = Object.fromEntries(options.claim)
  if (github !== undefined) {
    const match = {
      repository: github,
      ...(ref === undefined ? {} : { ref }),
      ...(environment === undefined ? {} : { environment }),
    }
    return { preset: 'github-actions', match: { ...match, ...more } }
  }
  if (kubernetes !== undefined) return { preset: 'kubernetes', match: { sub: serviceAccount(kubernetes), ...more } }
  if (spiffe !== undefined) return { preset: 'spiffe', match: { sub: spiffe, ...more } }
  if (options.claim.length === 0) throw usage('Say which workloads: --github, --kubernetes, --spiffe or --claim.')
  return { preset: null, match: more }
}

function serviceAccount(text: string): string {
  const [namespace, name, ...more] = text.split('/')
  if (namespace === undefined || name === undefined || more.length > 0)
    throw usage('Write --kubernetes NAMESPACE/NAME.')
  return `system:serviceaccount:${namespace}:${name}`
}

function usage(message: string): CliError {
  return new CliError(exitCode.usage, message, 'mcpworks binding add --help shows examples.')
}

function claims(text: string, former: [string, string][]): [string, string][] {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('write NAME=VALUE')
  return [...former, [text.slice(0, at), text.slice(at + 1)]]
}

function matchText(row: JsonObject): string {
  const match = isJsonObject(row.match) ? row.match : {}
  return Object.entries(match)
    .map(([claim, value]) => `${claim}=${String(value)}`)
    .join(' ')
}
