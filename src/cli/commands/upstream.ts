import { Option, type Command } from 'commander'
import type { OperationName } from '../../contract/index.ts'
import { isJsonObject, type JsonObject } from '../../kernel/index.ts'
import { CliError } from '../cli-error.ts'
import type { CommandContext } from '../context.ts'
import { exitCode } from '../exit-code.ts'
import { chooseNamespace, namespaceOption } from '../namespace-option.ts'
import { printableLine } from '../printable.ts'
import { readSecret } from '../read-secret.ts'
import { table } from '../terminal.ts'
import { objects, timeOf } from './rows.ts'

interface InNamespace {
  readonly namespace?: string
}

interface AddOptions extends InNamespace {
  readonly url: string
  readonly method: string
  readonly owner: string
  readonly issuer?: string
  readonly clientId?: string
  readonly scope: string[]
  readonly header: string
  readonly prefix?: string
}

/** `mcpworks upstream add|list|show|connect|set-secret|check|disconnect|remove|rotate-key`. */
export function addUpstreamCommands(program: Command, context: () => CommandContext): void {
  const upstream = program.command('upstream').description('Third-party servers and the credentials for them')
  const operate = async (operation: OperationName, options: InNamespace, input: JsonObject) => {
    const current = context()
    const namespace = await chooseNamespace(options.namespace, current)
    const answer = await current.api().call(operation, { namespace, ...input })
    return { answer, namespace, terminal: current.terminal }
  }

  upstream
    .command('add <name>')
    .description('Adds a third-party server. Nothing is sent there before it is connected or checked.')
    .option(...namespaceOption)
    .requiredOption('--url <url>', "the server's URL; its origin is the only one that gets the credential")
    .addOption(
      new Option('--method <method>', 'how requests are authenticated')
        .choices(['oauth', 'client-credentials', 'header'])
        .default('oauth'),
    )
    .addOption(
      new Option('--owner <owner>', 'one credential of the namespace, or an account of each user')
        .choices(['namespace', 'user'])
        .default('namespace'),
    )
    .option(
      '--issuer <url>',
      'the authorization server that has to be the one (default: the one that the server names)',
    )
    .option('--client-id <id>', 'our client id there, where one was registered by hand')
    .option('--scope <scope...>', 'scopes to ask for', [])
    .option('--header <name>', 'header that carries the credential', 'authorization')
    .option('--prefix <text>', 'what stands before it in the header (default: "Bearer " in authorization)')
    .action(async (name: string, options: AddOptions) => {
      const header = options.header.toLowerCase()
      const { answer, namespace, terminal } = await operate('upstream.add', options, {
        server: name,
        url: options.url,
        method: options.method,
        owner: options.owner,
        issuer: options.issuer ?? null,
        clientId: options.clientId ?? null,
        scopes: options.scope,
        header,
        prefix: options.prefix ?? (header === 'authorization' ? 'Bearer ' : ''),
      })
      const next = options.method === 'oauth' ? 'connect' : 'set-secret'
      terminal.result(answer, `Added ${namespace}/${name}.\nNext: mcpworks upstream ${next} ${name} -n ${namespace}`)
    })

  upstream
    .command('list')
    .description('Lists third-party servers and how they are connected')
    .option(...namespaceOption)
    .action(async (options: InNamespace) => {
      const { answer, terminal } = await operate('upstream.list', options, {})
      const rows = objects(answer.upstreams).map((row) => [
        String(row.name),
        String(row.url),
        String(row.method),
        String(row.owner),
        stateOf(row),
      ])
      terminal.result(answer, table(['SERVER', 'URL', 'METHOD', 'OWNER', 'STATE'], rows))
    })

  upstream
    .command('show <name>')
    .description('Shows a third-party server and whose credentials for it there are, never the credentials')
    .option(...namespaceOption)
    .action(async (name: string, options: InNamespace) => {
      const { answer, terminal } = await operate('upstream.show', options, { server: name })
      const shown = isJsonObject(answer.upstream) ? answer.upstream : {}
      const facts = ['url', 'method', 'owner', 'issuer', 'clientId', 'header'].map((key) => [
        key,
        String(shown[key] ?? '-'),
      ])
      const rows = objects(shown.credentials).map((row) => [
        row.ownerId === '' ? '(namespace)' : String(row.ownerId),
        String(row.kind),
        String(row.status),
        timeOf(row.expiresAtMs),
        String(row.failures),
      ])
      const credentials = table(['OF', 'KIND', 'STATUS', 'EXPIRES', 'FAILURES'], rows)
      terminal.result(answer, `${table(['FACT', 'VALUE'], facts)}\n\n${credentials}`)
    })

  upstream
    .command('connect <name>')
    .description('Tells on which page of this server you consent in your browser. Opens nothing by itself.')
    .option(...namespaceOption)
    .option('--own', 'with an account of your own, where the server is used so')
    .action(async (name: string, options: InNamespace & { own?: boolean }) => {
      const operation = options.own === true ? 'upstream.connect-own' : 'upstream.connect'
      const { answer, terminal } = await operate(operation, options, { server: name })
      terminal.result(answer, `Open this page in your browser and sign in:\n  ${printableLine(String(answer.page))}`)
    })

  upstream
    .command('set-secret <name>')
    .description(
      'Stores the value of the header, or the secret of our client there. Reads it from standard input or a file.',
    )
    .option(...namespaceOption)
    .addOption(new Option('--kind <kind>', 'what it is').choices(['header', 'client']).default('header'))
    .option('-f, --file <file>', 'file that holds it (default: standard input)')
    .action(async (name: string, options: InNamespace & { kind: string; file?: string }) => {
      const secret = readSecret(options.file ?? null)
      const { answer, namespace, terminal } = await operate('upstream.set-secret', options, {
        server: name,
        kind: options.kind,
        secret,
      })
      terminal.result(answer, `Stored, sealed.\nNext: mcpworks upstream check ${name} -n ${namespace}`)
    })

  upstream
    .command('check <name>')
    .description('Makes one MCP request to the server with the credential and tells how it was answered')
    .option(...namespaceOption)
    .action(async (name: string, options: InNamespace) => {
      const { answer, terminal } = await operate('upstream.check', options, { server: name })
      if (answer.ok !== true) {
        const why =
          typeof answer.detail === 'string' ? `${String(answer.reason)}: ${answer.detail}` : String(answer.reason)
        throw new CliError(exitCode.failed, `The credential does not serve (${why}).`, null, answer)
      }
      const server = typeof answer.server === 'string' ? `, which calls itself ${answer.server}` : ''
      terminal.result(answer, `OK: ${name} took the credential (status ${String(answer.status)})${server}.`)
    })

  upstream
    .command('disconnect <name>')
    .description('Revokes a credential at its authorization server, where that can be done, and forgets it')
    .option(...namespaceOption)
    .option('--user <user>', 'that of a user (default: that of the namespace)')
    .action(async (name: string, options: InNamespace & { user?: string }) => {
      const { answer, terminal } = await operate('upstream.disconnect', options, {
        server: name,
        user: options.user ?? null,
      })
      terminal.result(
        answer,
        answer.revoked === true ? 'Revoked there and forgotten here.' : 'Forgotten here; not revoked there.',
      )
    })

  upstream
    .command('remove <name>')
    .description('Disconnects everybody from a third-party server and removes it')
    .option(...namespaceOption)
    .action(async (name: string, options: InNamespace) => {
      const { answer, namespace, terminal } = await operate('upstream.remove', options, { server: name })
      terminal.result(answer, `Removed ${namespace}/${name}.`)
    })

  upstream
    .command('rotate-key')
    .description("Seals the namespace's secrets anew under a new data key and destroys the old one")
    .option(...namespaceOption)
    .action(async (options: InNamespace) => {
      const { answer, terminal } = await operate('upstream.rotate-key', options, {})
      terminal.result(answer, `Data key ${String(answer.epoch)}; ${String(answer.resealed)} secret(s) sealed anew.`)
    })
}

function stateOf(row: JsonObject): string {
  const credentials = objects(row.credentials).filter(({ kind }) => kind !== 'client')
  if (credentials.length === 0) return 'not connected'
  const waiting = credentials.filter(({ status }) => status !== 'connected').length
  return waiting === 0 ? `connected (${credentials.length})` : `${waiting} of ${credentials.length} need consent`
}
