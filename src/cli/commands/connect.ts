import { homedir, platform } from 'node:os'
import { dirname, resolve } from 'node:path'
import { Argument, Option, type Command } from 'commander'
import { CliError } from '../cli-error.ts'
import { confirm } from '../confirm.ts'
import type { ClientCredential, ConnectClient, ConnectScope, Endpoint, Places } from '../connect/connect-client.ts'
import { connectClients } from '../connect/connect-clients.ts'
import { readConfigFile, replaceConfigFile, type ConfigFile } from '../connect/config-file.ts'
import { maskSecrets } from '../connect/mask-secrets.ts'
import { offeredSignIn } from '../connect/offered-sign-in.ts'
import { planEntry } from '../connect/plan-entry.ts'
import { signInNotes } from '../connect/sign-in-notes.ts'
import { unifiedDiff } from '../connect/unified-diff.ts'
import type { CommandContext } from '../context.ts'
import { exitCode } from '../exit-code.ts'
import { chooseNamespace, namespaceOption } from '../namespace-option.ts'

interface ConnectOptions {
  readonly namespace?: string
  readonly scope?: ConnectScope
  readonly file?: string
  readonly url?: string
  readonly name?: string
  readonly apiKey?: string | true
  readonly keyInFile?: boolean
  readonly clientId?: string
  readonly print?: boolean
  readonly dryRun?: boolean
  readonly yes?: boolean
  readonly replace?: boolean
  readonly remove?: boolean
  readonly followLinks?: boolean
}

const defaultVariable = 'MCPWORKS_AGENT_KEY'

/** `mcpworks connect`. */
export function addConnectCommand(program: Command, context: () => CommandContext): void {
  program
    .command('connect')
    .description("Puts a namespace into an MCP client's own configuration, after showing what would change")
    .addArgument(new Argument('<client>', 'MCP client').choices(connectClients.map(({ name }) => name)))
    .option(...namespaceOption)
    .addOption(
      new Option(
        '-s, --scope <scope>',
        'of the project in the current directory, or of the user (default: user)',
      ).choices(['project', 'user']),
    )
    .option('-f, --file <path>', 'another file than the client reads by default')
    .option('--url <url>', 'address of the server (default: MCPWORKS_URL, http.publicUrl, or the one that runs here)')
    .option('--name <name>', 'name of the entry (default: mcpworks-<namespace>)')
    .option('--client-id <id>', 'OAuth client id of the client, where it was registered beforehand')
    .option(
      '--api-key [variable]',
      `an API key in place of the browser, taken from an environment variable (default: ${defaultVariable}); the file names the variable only`,
    )
    .option('--key-in-file', 'write the key itself into the file, which is then for your eyes only (mode 0600)')
    .option('--remove', 'take the entry away')
    .option('--replace', 'replace, or remove, an entry of that name that is not of this endpoint')
    .option('--follow-links', 'follow symbolic links that lead out of the home or project directory')
    .option('--print', 'only show what the file would hold')
    .option('--dry-run', 'only show what would change')
    .option('-y, --yes', 'do not ask')
    .action((client: string, options: ConnectOptions) => connect(client, options, context()))
}

async function connect(clientName: string, options: ConnectOptions, context: CommandContext): Promise<void> {
  const { terminal } = context
  const client = connectClients.find(({ name }) => name === clientName) as ConnectClient
  const base = serverAddress(options, context)
  const namespace = checkedName(await chooseNamespace(options.namespace, context))
  const endpoint: Endpoint = {
    name: checkedName(options.name ?? `mcpworks-${namespace}`),
    namespace,
    url: `${base}/mcp/${namespace}`,
    credential: credentialOf(client, options, context),
  }
  const scope = options.scope ?? (client.name === 'json' ? 'project' : 'user')
  const file = await readConfigFile(placeOf(client, scope, options, context), options.followLinks === true)
  const planned = planEntry(client, file.text, endpoint, options.remove === true)
  if (!planned.ok) {
    const { problem, line, column } = planned
    const where = line === undefined ? file.path : `${file.path}:${line}:${column ?? 1}`
    throw new CliError(
      exitCode.failed,
      `${where}: ${problem}. The file was left as it is.`,
      'Correct it and run the command again',
    )
  }
  const diff = maskSecrets(unifiedDiff(file.path, file.text, planned.text))
  const result = {
    client: client.name,
    file: file.target,
    name: endpoint.name,
    url: endpoint.url,
    changed: false,
    diff,
  }
  if (options.print === true)
    return terminal.result({ ...result, text: maskSecrets(planned.text) }, maskSecrets(planned.text))
  const isAbsent = file.text === null && options.remove === true
  if (diff === '' || isAbsent)
    return terminal.result({ ...result, diff: '' }, `${file.path} is as it should be: nothing to change.`)
  if (options.dryRun === true) return terminal.result(result, diff)
  await agree(file, diff, planned.replaces, options, context)
  await replaceConfigFile(file, planned.text, endpoint.credential.kind === 'key-in-file' && options.remove !== true)
  terminal.result({ ...result, changed: true }, `Written: ${file.target}`)
  if (options.remove === true) return
  const offered = await offeredSignIn(base, namespace)
  for (const note of signInNotes(client, endpoint, scope, offered)) terminal.note(note)
}

/** Asks before anything is written. @throws CliError where nobody agrees */
async function agree(
  file: ConfigFile,
  diff: string,
  replaces: string | null,
  options: ConnectOptions,
  { terminal }: CommandContext,
): Promise<void> {
  terminal.note(diff)
  if (file.target !== file.path) terminal.note(`${file.path} is really ${file.target}.`)
  if (replaces !== null && options.replace !== true) {
    if (
      options.yes === true ||
      terminal.json ||
      !(await confirm(`The entry there leads to ${maskSecrets(replaces)}, not here. Replace it?`))
    )
      throw new CliError(
        exitCode.failed,
        `There is an entry of that name that leads to ${maskSecrets(replaces)}. Nothing was changed.`,
        'Take another name with --name, or replace it with --replace',
      )
  }
  if (options.yes === true) return
  if (terminal.json || !(await confirm('Write this?')))
    throw new CliError(exitCode.failed, 'Nothing was changed.', 'Say yes when asked, or give --yes')
}

function serverAddress(options: ConnectOptions, context: CommandContext): string {
  const configured = context.env.MCPWORKS_URL === undefined ? context.config().http.publicUrl : null
  const text = (options.url ?? configured ?? context.serverUrl()).replace(/\/+$/, '')
  const url = URL.canParse(text) ? new URL(text) : null
  if (
    url === null ||
    !/^https?:$/.test(url.protocol) ||
    url.username !== '' ||
    url.password !== '' ||
    url.search !== '' ||
    url.hash !== ''
  )
    throw new CliError(exitCode.usage, 'The address of the server has to be an http or https URL and nothing more.')
  return url.href.replace(/\/+$/, '')
}

function credentialOf(client: ConnectClient, options: ConnectOptions, { env }: CommandContext): ClientCredential {
  const { apiKey, keyInFile, clientId } = options
  if (apiKey === undefined && keyInFile !== true) {
    if (clientId !== undefined && client.redirectUris === null)
      throw new CliError(exitCode.usage, `${client.title} cannot be told a client id.`, 'Use --api-key')
    if (clientId !== undefined && !/^[\x21-\x7e]{1,500}$/.test(clientId))
      throw new CliError(exitCode.usage, 'A client id is of printable characters without blanks.')
    return { kind: 'oauth', clientId: clientId ?? null }
  }
  if (clientId !== undefined) throw new CliError(exitCode.usage, 'A client id is for OAuth, not for an API key.')
  const variable = typeof apiKey === 'string' ? apiKey : defaultVariable
  if (!/^(?!mcpw_)[A-Za-z_][A-Za-z0-9_]{0,99}$/.test(variable))
    throw new CliError(
      exitCode.usage,
      '--api-key takes the name of an environment variable, never a key itself.',
      'Other users can read the arguments of a command',
    )
  if (keyInFile !== true || options.remove === true) return { kind: 'key-reference', variable }
  const key = env[variable] ?? ''
  if (!client.takesKeyInFile)
    throw new CliError(
      exitCode.usage,
      `${client.title} takes a key from the environment only.`,
      'Leave --key-in-file away',
    )
  if (!/^mcpw_[a-z0-9]{12}_[A-Za-z0-9_-]{43}$/.test(key))
    throw new CliError(
      exitCode.usage,
      `The variable ${variable} holds no API key.`,
      'A new one: mcpworks key create <agent>',
    )
  return { kind: 'key-in-file', apiKey: key }
}

function placeOf(client: ConnectClient, scope: ConnectScope, { file }: ConnectOptions, { env, cwd }: CommandContext) {
  const places: Places = {
    home: env.HOME ?? homedir(),
    project: cwd,
    platform: platform() === 'darwin' ? 'darwin' : 'linux',
    env,
  }
  const place = client.place(scope, places)
  if (file !== undefined) return { path: resolve(cwd, file), root: dirname(resolve(cwd, file)) }
  if (place === null)
    throw new CliError(
      exitCode.usage,
      `${client.title} has no configuration of the ${scope} that is known.`,
      'Take the other --scope, or name the --file',
    )
  return place
}

/** @throws CliError for what would need quoting somewhere */
function checkedName(name: string): string {
  if (/^[A-Za-z][A-Za-z0-9_-]{0,63}$/.test(name)) return name
  throw new CliError(exitCode.usage, 'A name is of letters, digits, hyphens and underscores, with a letter first.')
}
