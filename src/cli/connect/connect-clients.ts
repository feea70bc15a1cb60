import { join } from 'node:path'
import type { JsonValue } from '../../kernel/index.ts'
import type { ConfigPlace, ConnectClient, Endpoint, Places, Setting } from './connect-client.ts'

/** Members that an entry of nearly every client has: the header of an API key, or none. */
function authorization({ credential }: Endpoint, reference: (variable: string) => string): Setting {
  const path = ['headers', 'Authorization']
  switch (credential.kind) {
    case 'oauth':
      return { path, value: undefined }
    case 'key-reference':
      return { path, value: `Bearer ${reference(credential.variable)}` }
    case 'key-in-file':
      return { path, value: `Bearer ${credential.apiKey}` }
  }
}

function clientId(path: readonly string[], { credential }: Endpoint): Setting {
  const value = credential.kind === 'oauth' ? (credential.clientId ?? undefined) : undefined
  return { path, value }
}

function http(member: string, type: JsonValue | undefined, endpoint: Endpoint): Setting[] {
  return [...(type === undefined ? [] : [{ path: ['type'], value: type }]), { path: [member], value: endpoint.url }]
}

const inHome = ({ home }: Places, ...parts: string[]): ConfigPlace => ({ path: join(home, ...parts), root: home })
const inProject = ({ project }: Places, ...parts: string[]): ConfigPlace => ({
  path: join(project, ...parts),
  root: project,
})

/** A directory that a variable can put elsewhere. */
function directory(places: Places, variable: string, fallback: ConfigPlace, file: string): ConfigPlace {
  const moved = places.env[variable]
  if (moved === undefined || moved === '') return fallback
  return { path: join(moved, file), root: moved }
}

function vscodeUserFile(places: Places): ConfigPlace {
  if (places.platform === 'darwin') return inHome(places, 'Library', 'Application Support', 'Code', 'User', 'mcp.json')
  const file = join('Code', 'User', 'mcp.json')
  return directory(places, 'XDG_CONFIG_HOME', inHome(places, '.config', file), file)
}

const inputId = ({ name }: Endpoint): string => `${name}-key`

/** The clients that `mcpworks connect` knows, with what their own documentation says of their configuration. */
export const connectClients: readonly ConnectClient[] = [
  {
    name: 'claude-code',
    title: 'Claude Code',
    format: 'jsonc',
    place: (scope, places) =>
      scope === 'project'
        ? inProject(places, '.mcp.json')
        : directory(places, 'CLAUDE_CONFIG_DIR', inHome(places, '.claude.json'), '.claude.json'),
    servers: 'mcpServers',
    urlMember: 'url',
    settings: (endpoint) => [
      ...http('url', 'http', endpoint),
      authorization(endpoint, (variable) => `\${${variable}}`),
      clientId(['oauth', 'clientId'], endpoint),
    ],
    registration: 'metadata-document',
    redirectUris: ['http://localhost/callback', 'http://127.0.0.1/callback'],
    takesKeyInFile: true,
    next: ({ name, credential }) =>
      credential.kind === 'oauth'
        ? `In Claude Code: /mcp, then ${name}, then Authenticate.`
        : 'Start Claude Code again; /mcp shows the server.',
  },
  {
    name: 'cursor',
    title: 'Cursor',
    format: 'jsonc',
    place: (scope, places) =>
      scope === 'project' ? inProject(places, '.cursor', 'mcp.json') : inHome(places, '.cursor', 'mcp.json'),
    servers: 'mcpServers',
    urlMember: 'url',
    settings: (endpoint) => [
      ...http('url', undefined, endpoint),
      authorization(endpoint, (variable) => `\${env:${variable}}`),
      clientId(['auth', 'CLIENT_ID'], endpoint),
    ],
    registration: 'dynamic',
    redirectUris: ['cursor://anysphere.cursor-mcp/oauth/callback'],
    takesKeyInFile: true,
    next: ({ name }) => `In Cursor: the settings of MCP show ${name}; sign in there where it asks for it.`,
  },
  {
    name: 'vscode',
    title: 'VS Code',
    format: 'jsonc',
    place: (scope, places) => (scope === 'project' ? inProject(places, '.vscode', 'mcp.json') : vscodeUserFile(places)),
    servers: 'servers',
    urlMember: 'url',
    settings: (endpoint) => [
      ...http('url', 'http', endpoint),
      authorization(endpoint, () => `\${input:${inputId(endpoint)}}`),
      clientId(['oauth', 'clientId'], endpoint),
    ],
    listed: (endpoint) => [
      {
        list: 'inputs',
        id: inputId(endpoint),
        value:
          endpoint.credential.kind === 'key-reference'
            ? {
                type: 'promptString',
                id: inputId(endpoint),
                description: `API key of an agent of the namespace ${endpoint.namespace} of MCPWorks`,
                password: true,
              }
            : undefined,
      },
    ],
    registration: 'metadata-document',
    redirectUris: ['http://127.0.0.1:33418', 'https://vscode.dev/redirect'],
    takesKeyInFile: true,
    next: ({ name }) => `In VS Code: "MCP: List Servers", then ${name}, then Start Server.`,
  },
  {
    name: 'codex',
    title: 'Codex',
    format: 'toml',
    place: (scope, places) =>
      scope === 'project'
        ? inProject(places, '.codex', 'config.toml')
        : directory(places, 'CODEX_HOME', inHome(places, '.codex', 'config.toml'), 'config.toml'),
    servers: 'mcp_servers',
    urlMember: 'url',
    settings: (endpoint) => [
      { path: ['url'], value: endpoint.url },
      {
        path: ['bearer_token_env_var'],
        value: endpoint.credential.kind === 'key-reference' ? endpoint.credential.variable : undefined,
      },
      clientId(['oauth', 'client_id'], endpoint),
    ],
    registration: 'metadata-document',
    redirectUris: ['http://127.0.0.1/callback', 'http://localhost/callback'],
    takesKeyInFile: false,
    next: ({ name, credential }) =>
      credential.kind === 'oauth' ? `Then: codex mcp login ${name}` : 'Start Codex again; /mcp shows the server.',
  },
  {
    name: 'gemini',
    title: 'Gemini CLI',
    format: 'jsonc',
    place: (scope, places) =>
      scope === 'project' ? inProject(places, '.gemini', 'settings.json') : inHome(places, '.gemini', 'settings.json'),
    servers: 'mcpServers',
    urlMember: 'httpUrl',
    settings: (endpoint) => [
      ...http('httpUrl', undefined, endpoint),
      authorization(endpoint, (variable) => `\${${variable}}`),
      clientId(['oauth', 'clientId'], endpoint),
    ],
    registration: 'dynamic',
    redirectUris: ['http://localhost/oauth/callback'],
    takesKeyInFile: true,
    next: ({ name, credential }) =>
      credential.kind === 'oauth'
        ? `In Gemini CLI: /mcp auth ${name}`
        : 'Start Gemini CLI again; /mcp shows the server.',
  },
  {
    name: 'windsurf',
    title: 'Windsurf',
    format: 'jsonc',
    place: (scope, places) => (scope === 'project' ? null : inHome(places, '.codeium', 'windsurf', 'mcp_config.json')),
    servers: 'mcpServers',
    urlMember: 'serverUrl',
    settings: (endpoint) => [
      ...http('serverUrl', undefined, endpoint),
      authorization(endpoint, (variable) => `\${env:${variable}}`),
    ],
    registration: 'dynamic',
    redirectUris: null,
    takesKeyInFile: true,
    next: ({ name }) => `In Windsurf: refresh the MCP servers of Cascade; ${name} is among them.`,
  },
  {
    name: 'json',
    title: 'any client that reads "mcpServers"',
    format: 'jsonc',
    place: (scope, places) => (scope === 'project' ? inProject(places, 'mcp.json') : null),
    servers: 'mcpServers',
    urlMember: 'url',
    settings: (endpoint) => [
      ...http('url', 'http', endpoint),
      authorization(endpoint, (variable) => `\${${variable}}`),
    ],
    registration: 'none',
    redirectUris: null,
    takesKeyInFile: true,
    next: () => 'Point the client at the file.',
  },
]
