import { isJsonObject } from '../kernel/index.ts'
import { CliError } from './cli-error.ts'
import type { CommandContext } from './context.ts'
import { exitCode } from './exit-code.ts'

/** The option by which commands take a namespace. */
export const namespaceOption = [
  '-n, --namespace <name>',
  'namespace (may be left out where there is just one)',
] as const

/**
 * The namespace that was given, or the only one there is.
 * @throws CliError where none was given and there are several, or none.
 */
export async function chooseNamespace(given: string | undefined, context: CommandContext): Promise<string> {
  if (given !== undefined) return given
  const answer = await context.api().call('namespace.list', {})
  const all = Array.isArray(answer.namespaces) ? answer.namespaces : []
  const names = all.map((namespace) => (isJsonObject(namespace) ? String(namespace.name) : ''))
  const [only] = names
  if (only !== undefined && names.length === 1) return only
  if (names.length === 0)
    throw new CliError(exitCode.failed, 'There is no namespace yet.', 'Make one with: mcpworks apply -f DIRECTORY')
  throw new CliError(exitCode.usage, `There are ${names.length} namespaces.`, `Say which with -n: ${names.join(', ')}`)
}
