import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import type { Demo, RunningApp } from '../../app/index.ts'
import { CliError } from '../cli-error.ts'
import type { CommandContext } from '../context.ts'
import { exitCode } from '../exit-code.ts'

/** `mcpworks up`. */
export function addUpCommand(program: Command, context: () => CommandContext): void {
  program
    .command('up')
    .description('Starts the server and stays until interrupted. The first start sets up a demo namespace.')
    .option('--host <address>', 'address to listen on (default: 127.0.0.1)')
    .option('--port <number>', 'port to listen on (default: 7433)')
    .option('--no-demo', 'set up nothing at the first start')
    .option(
      '--accept-older-log',
      'start on a decision log that is older than this data directory has seen, because a backup was restored; it is put on record',
    )
    .action(async (options: { host?: string; port?: string; demo: boolean; acceptOlderLog?: boolean }) => {
      const { terminal, config: load } = context()
      const config = load({
        ...(options.host === undefined ? {} : { 'http.host': options.host }),
        ...(options.port === undefined ? {} : { 'http.port': options.port }),
      })
      const stopped = waitForSignal()
      const { createLog, seedDemo, start } = await import('../../app/index.ts')
      const slow = setTimeout(() => terminal.note('Starting: testing the sandbox, opening the record ...'), 1000)
      const interrupted = new AbortController()
      void stopped.then(() => interrupted.abort())
      const app = await start({
        config,
        log: createLog(config.log.level),
        version: program.version() ?? '',
        signal: interrupted.signal,
        acceptOlderLog: options.acceptOlderLog === true,
        onStandby({ active, url }) {
          clearTimeout(slow)
          terminal.note(`Standing by at ${url}: the server on ${active} is active on the database.`)
        },
      })
        .catch((error: unknown) => {
          if (interrupted.signal.aborted) return null
          throw error
        })
        .finally(() => clearTimeout(slow))
      if (app === null) return
      try {
        const demo = app.isFirstStart && options.demo ? await seedDemo(app, demoDirectory()) : null
        const firstOwnerLink = await app.firstOwnerLink()
        terminal.line(
          {
            event: 'started',
            url: app.url,
            dataDirectory: config.dataDirectory,
            signIn: app.signInUrl,
            firstOwnerLink,
            demo: demo === null ? null : { ...demo, endpoint: `${app.url}/mcp/${demo.namespace}` },
          },
          `${banner(app, demo, config.dataDirectory)}\n\n${peopleBanner(app.signInUrl, firstOwnerLink)}`,
        )
        const replaced = await Promise.race([stopped, app.replaced])
        if (replaced !== undefined) throw new CliError(exitCode.failed, replaced, null)
        terminal.note('Stopping.')
      } finally {
        await app.close()
      }
    })
}

function demoDirectory(): string {
  return fileURLToPath(new URL('../../../examples/leads', import.meta.url))
}

/** Within this time a second signal is the same Ctrl-C: the terminal sends one to the whole group, and npm another. */
const sameInterruptMs = 1500

/** Resolves at the first SIGINT or SIGTERM. One that comes later, out of impatience, ends the process at once. */
function waitForSignal(): Promise<void> {
  return new Promise((resolve) => {
    let firstMs: number | null = null
    const onSignal = (): void => {
      const nowMs = performance.now()
      firstMs ??= nowMs
      if (nowMs - firstMs > sameInterruptMs) process.exit(exitCode.failed)
      resolve()
    }
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, onSignal)
  })
}

function peopleBanner(signIn: string | null, firstOwnerLink: string | null): string {
  if (firstOwnerLink !== null)
    return ['Nobody can sign in yet. Open this once, soon, to become the first owner:', `  ${firstOwnerLink}`].join(
      '\n',
    )
  if (signIn !== null) return `People sign in at ${signIn}`
  return 'People cannot sign in: without https only on this machine. See http.publicUrl.'
}

function banner(app: RunningApp, demo: Demo | null, dataDirectory: string): string {
  if (demo === null) {
    return [
      `MCPWorks is running at ${app.url}  (data in ${dataDirectory})`,
      ...app.namespaces().map((name) => `  endpoint  ${app.url}/mcp/${name}`),
      '',
      'Keys were shown when they were made. Another one:',
      '  npx mcpworks key create AGENT -n NAMESPACE',
      'Ctrl-C stops it.',
    ].join('\n')
  }
  const endpoint = `${app.url}/mcp/${demo.namespace}`
  const [first] = demo.agents
  return [
    `MCPWorks is running at ${app.url}  (data in ${dataDirectory})`,
    '',
    `  endpoint  ${endpoint}`,
    ...demo.agents.map((agent) => `  ${agent.name.padEnd(9)} ${agent.apiKey}`),
    '',
    'The keys are shown this once. Only their hashes are stored.',
    '',
    'Try it in another terminal:',
    `  export MCPWORKS_AGENT_KEY=${first?.apiKey ?? ''}`,
    `  npx mcpworks function call leads-top -n ${demo.namespace} --args '{"n": 3}'`,
    '',
    'Let a client use it (or cursor, vscode, codex, gemini, windsurf, json); its file names the key and does not hold it:',
    `  npx mcpworks connect claude-code -n ${demo.namespace} --api-key`,
    'Ctrl-C stops it.',
  ].join('\n')
}
