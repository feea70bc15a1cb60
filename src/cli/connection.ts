import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config, ConfigSources } from '../config/index.ts'
import { CliError } from './cli-error.ts'
import { exitCode } from './exit-code.ts'

/** A server and a credential for it. */
export interface Connection {
  /** Without a slash at the end. */
  readonly url: string
  readonly apiKey: string
}

/**
 * The management API: `MCPWORKS_URL` and `MCPWORKS_API_KEY` if they are set; else what the server left in its data
 * directory, which only the user that runs it can read.
 * @throws CliError `unreachable` if there is nothing of the kind.
 */
export function readConnection(config: Config, env: ConfigSources['env']): Connection {
  const url = serverUrl(config, env)
  const apiKey = env.MCPWORKS_API_KEY ?? readText(join(config.dataDirectory, 'operator.key'))
  if (apiKey !== null) return { url, apiKey }
  throw new CliError(
    exitCode.unreachable,
    `There is no operator credential in ${config.dataDirectory} that you may read.`,
    'Run the command as the user that runs the server, or set MCPWORKS_API_KEY',
  )
}

/**
 * The namespace endpoints, as the agent whose key is in `MCPWORKS_AGENT_KEY`. Never the operator: a call is an agent's.
 * @throws CliError where no agent key is set or no server is known.
 */
export function readAgentConnection(config: Config, env: ConfigSources['env']): Connection {
  const apiKey = env.MCPWORKS_AGENT_KEY
  if (apiKey !== undefined && apiKey !== '') return { url: serverUrl(config, env), apiKey }
  throw new CliError(
    exitCode.usage,
    'A call is made as an agent, and no agent key is set.',
    'Set MCPWORKS_AGENT_KEY to the key of an agent (a new one: mcpworks key create <agent>)',
  )
}

function serverUrl(config: Config, env: ConfigSources['env']): string {
  const url = env.MCPWORKS_URL ?? readText(join(config.dataDirectory, 'server.url'))
  if (url !== null) return url.replace(/\/+$/, '')
  throw new CliError(
    exitCode.unreachable,
    `No server runs on ${config.dataDirectory}.`,
    'Start one with: npm start   (or set MCPWORKS_URL and MCPWORKS_API_KEY)',
  )
}

function readText(path: string): string | null {
  try {
    const text = readFileSync(path, 'utf8').trim()
    return text === '' ? null : text
  } catch {
    return null
  }
}
