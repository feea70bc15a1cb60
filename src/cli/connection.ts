import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
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
 * directory, which only the user that runs it can read. The operator's key of a data directory goes to the server of
 * that directory alone.
 * @throws CliError `unreachable` if there is nothing of the kind, `usage` for a URL without a key.
 */
export function readConnection(config: Config, env: ConfigSources['env']): Connection {
  const apiKey = env.MCPWORKS_API_KEY
  if (apiKey !== undefined && apiKey !== '') return { url: serverUrl(config, env), apiKey }
  if (env.MCPWORKS_URL !== undefined && withoutSlash(env.MCPWORKS_URL) !== runningServer(config.dataDirectory)) {
    throw new CliError(
      exitCode.usage,
      `MCPWORKS_URL is set, and no key for ${env.MCPWORKS_URL}. The key of this machine's own server is not sent there.`,
      'Set MCPWORKS_API_KEY too, or unset MCPWORKS_URL',
    )
  }
  const url = serverUrl(config, env)
  const operatorKey = readText(join(config.dataDirectory, 'operator.key'))
  if (operatorKey !== null) return { url, apiKey: operatorKey }
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

/**
 * The server that is meant: `MCPWORKS_URL`, else the one that runs on the data directory. Sends nothing there.
 * @throws CliError `unreachable` where neither is known
 */
export function serverUrl(config: Config, env: ConfigSources['env']): string {
  const url = env.MCPWORKS_URL === undefined ? runningServer(config.dataDirectory) : withoutSlash(env.MCPWORKS_URL)
  if (url !== null) return url
  if (existsSync(config.dataDirectory) && !mayEnter(config.dataDirectory)) {
    throw new CliError(
      exitCode.unreachable,
      `${config.dataDirectory} belongs to another user.`,
      'Run the command as the user that runs the server, or set MCPWORKS_URL and MCPWORKS_API_KEY',
    )
  }
  throw new CliError(
    exitCode.unreachable,
    `No server runs on ${config.dataDirectory}.`,
    'Start one with: npm start   (or set MCPWORKS_URL and MCPWORKS_API_KEY)',
  )
}

/**
 * The URL that a server left in its data directory, while that server lives. One that was killed leaves its URL behind,
 * and whoever takes the port then would be sent the key. The same goes for a directory that came with somebody's files
 * and names a server elsewhere: what is written there can only be a server of this machine.
 */
function runningServer(dataDirectory: string): string | null {
  const text = readText(join(dataDirectory, 'server.url'))
  if (text === null || !isOnThisMachine(text)) return null
  const pid = readText(join(dataDirectory, 'server.pid'))
  if (pid === null || !/^[1-9][0-9]{0,9}$/.test(pid)) return null
  try {
    // A number that was given out anew is the server's only if it is the same user's.
    return statSync(join('/proc', pid)).uid === statSync(dataDirectory).uid ? withoutSlash(text) : null
  } catch {
    return null
  }
}

function isOnThisMachine(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname } = new URL(text)
  const addresses = Object.values(networkInterfaces()).flatMap((found) => found ?? [])
  const names = ['localhost', '127.0.0.1', '0.0.0.0', '::1', '::', ...addresses.map(({ address }) => address)]
  return protocol === 'http:' && names.includes(hostname.replace(/^\[(.*)\]$/, '$1'))
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '')
}

function mayEnter(directory: string): boolean {
  try {
    accessSync(directory, constants.R_OK | constants.X_OK)
    return true
  } catch {
    return false
  }
}

function readText(path: string): string | null {
  try {
    const text = readFileSync(path, 'utf8').trim()
    return text === '' ? null : text
  } catch {
    return null
  }
}
