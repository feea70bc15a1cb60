import { z } from 'zod'
import { configPaths, configSchema, type ConfigPath } from '../../src/config/index.ts'
import { table } from './markdown-table.ts'

/** `docs/mcpworks.schema.json`: for editors, which complete and check `mcpworks.yaml` with it. */
export function configurationSchema(): string {
  const schema = z.toJSONSchema(configSchema, { io: 'input', target: 'draft-2020-12' })
  return `${JSON.stringify({ title: 'mcpworks.yaml', ...schema }, null, 2)}\n`
}

/** `docs/configuration.md`: every setting with its environment variable, range, default and meaning. */
export function configurationPage(): string {
  const sections = Map.groupBy(configPaths(configSchema), ({ path }) => (path.length === 1 ? '' : (path[0] ?? '')))
  const general = sections.get('') ?? []
  const named = [...sections].filter(([name]) => name !== '')
  const parts = named.map(([name, settings]) => `## ${name}\n\n${settingsTable(settings)}`)
  return `# Configuration

Made from each folder's \`config.ts\` by \`npm run fix\`.

A value comes from the default, then the file \`mcpworks.yaml\`, then the environment, then the command line; the later wins. An unknown key, a bad value or an unreadable file stops the start, and all problems are listed at once. \`mcpworks config check\` tells before a start, and \`mcpworks config show\` says where each value came from. For a secret, \`NAME_FILE\` in place of \`NAME\` names a file that holds it.

Settings whose name begins with \`dangerously\` weaken security, and every start says that they are on.

In an editor, put this on the first line of \`mcpworks.yaml\` to have it checked: \`# yaml-language-server: $schema=docs/mcpworks.schema.json\`

${[settingsTable(general), ...parts].join('\n\n')}
`
}

function settingsTable(settings: readonly ConfigPath[]): string {
  const rows = settings.map((setting) => [
    `\`${setting.path.join('.')}\``,
    `\`${setting.env}\``,
    describeType(setting.schema),
    setting.schema['default'] === undefined ? 'none' : `\`${JSON.stringify(setting.schema['default'])}\``,
    setting.description,
  ])
  return table(['setting', 'environment', 'value', 'default', 'what it does'], rows)
}

function describeType(schema: ConfigPath['schema']): string {
  if (Array.isArray(schema['enum'])) return schema['enum'].map((value) => `\`${JSON.stringify(value)}\``).join(', ')
  if (Array.isArray(schema['anyOf'])) {
    return schema['anyOf'].map((part) => describeType(part as ConfigPath['schema'])).join(' or ')
  }
  const type = typeof schema['type'] === 'string' ? schema['type'] : 'text'
  const bounds = [bound('from', schema['minimum']), bound('to', schema['maximum'])].filter((text) => text !== '')
  return [type === 'array' ? 'list' : type, ...bounds].join(' ')
}

function bound(word: string, value: unknown): string {
  return typeof value === 'number' && Math.abs(value) < Number.MAX_SAFE_INTEGER ? `${word} ${value}` : ''
}
