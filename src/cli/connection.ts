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
 * `MCPWORKS_URL` and `MCPWORKS_API_KEY` if they are set; else what the server left in its data directory, which only
 * the user that runs it can read.
 * @throws CliError `unreachable` if there is nothing of the kind.
 */
export function readConnection(config: Config, env: ConfigSources['env']): Connection {
  const url = env.MCPWORKS_URL ?? readText(join(config.dataDirectory, 'server.url'))
  const apiKey = env.MCPWORKS_API_KEY ?? readText(join(config.dataDirectory, 'operator.key'))
  if (url === null) {
    throw new CliError(
      exitCode.unreachable,
      `No server runs on ${config.dataDirectory}.`,
      'Start one with: npm start   (or set MCPWORKS_URL and MCPWORKS_API_KEY)',
    )
  }
  if (apiKey === null) {
    throw new CliError(
      exitCode.unreachable,
      `There is no operator credential in ${config.dataDirectory} that you may read.`,
      'Run the command as the user that runs the server, or set MCPWORKS_API_KEY',
    )
  }
  return { url: url.replace(/\/+$/, ''), apiKey }
}

function readText(path: string): string | null {
  try {
    const text = readFileSync(path, 'utf8').trim()
    return text === '' ? null : text
  } catch {
    return null
  }
}
