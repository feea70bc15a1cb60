import { loadConfig, type Config, type ConfigOutcome, type ConfigSources } from '../config/index.ts'
import { createApiClient, type ApiClient } from './api-client.ts'
import { CliError } from './cli-error.ts'
import { exitCode } from './exit-code.ts'
import { readAgentConnection, readConnection, serverUrl, type Connection } from './connection.ts'
import { createTerminal, type Terminal } from './terminal.ts'

/** Options that every command takes. */
export interface GlobalOptions {
  readonly json?: boolean
  readonly config?: string
  readonly dataDirectory?: string
}

/** What a command works with. */
export interface CommandContext {
  readonly terminal: Terminal
  readonly env: ConfigSources['env']
  /** The configuration, valid or not. */
  loadConfig(flags?: Record<string, string>): ConfigOutcome
  /** The configuration. @throws CliError naming every mistake. */
  config(flags?: Record<string, string>): Config
  /** Where the server is and the operator's credential for it. @throws CliError if there is none. */
  connection(): Connection
  /** The same for calls, as the agent of `MCPWORKS_AGENT_KEY`. @throws CliError if none is set. */
  agentConnection(): Connection
  api(): ApiClient
  /** Where the server is, for what needs no credential. @throws CliError if none is known. */
  serverUrl(): string
  /** Directory in which the command was typed. */
  readonly cwd: string
}

/** Makes the context from the global options and the environment. */
export function createContext(options: GlobalOptions, env: ConfigSources['env'], cwd: string): CommandContext {
  const terminal = createTerminal(options.json === true)
  const load = (flags: Record<string, string> = {}): ConfigOutcome =>
    loadConfig({
      env,
      cwd,
      file: options.config ?? null,
      flags: { ...(options.dataDirectory === undefined ? {} : { dataDirectory: options.dataDirectory }), ...flags },
    })
  const config = (flags?: Record<string, string>): Config => {
    const outcome = load(flags)
    if (outcome.ok) return outcome.config
    const lines = outcome.problems.map(
      ({ path, origin, message, fix }) => `  ${path === '' ? '' : `${path}: `}${message} (from ${origin})\n    ${fix}`,
    )
    throw new CliError(
      exitCode.usage,
      `The configuration has ${lines.length} mistake(s); nothing was started:\n${lines.join('\n')}`,
      null,
      {
        problems: outcome.problems,
      },
    )
  }
  const connection = (): Connection => readConnection(config(), env)
  return {
    terminal,
    env,
    loadConfig: load,
    config,
    connection,
    agentConnection: () => readAgentConnection(config(), env),
    api: () => createApiClient(connection()),
    serverUrl: () => serverUrl(config(), env),
    cwd,
  }
}
