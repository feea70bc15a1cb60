/** Ready configurations of MCP clients for one endpoint and credential. */
export interface ClientConfig {
  readonly client: string
  /** Where it goes: a command to type, or a file to put it into. */
  readonly where: string
  readonly text: string
}

/** Claude Code, Cursor and VS Code. The text holds the credential. */
export function clientConfigs(name: string, url: string, apiKey: string): ClientConfig[] {
  const headers = { Authorization: `Bearer ${apiKey}` }
  return [
    {
      client: 'Claude Code',
      where: 'type',
      text: `claude mcp add --transport http ${name} ${url} --header "Authorization: Bearer ${apiKey}"`,
    },
    { client: 'Cursor', where: '.cursor/mcp.json', text: JSON.stringify({ mcpServers: { [name]: { url, headers } } }) },
    {
      client: 'VS Code',
      where: '.vscode/mcp.json',
      text: JSON.stringify({ servers: { [name]: { type: 'http', url, headers } } }),
    },
  ]
}
