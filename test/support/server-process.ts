import { spawn, type ChildProcess, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { isJsonObject, type JsonObject } from '../../src/kernel/index.ts'

/** No home, and nothing of the test's own but where Node finds what it has compiled before. */
const environment = { HOME: '/nonexistent', NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? '' }
const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

/** A command that ran to its end. */
export interface CommandResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Starts the command line as its own process, with nothing in the environment but what is given. */
export function spawnMcpworks(
  args: readonly string[],
  env: Record<string, string> = {},
  uid?: number,
): ChildProcessByStdio<null, Readable, Readable> {
  return spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main, ...args], {
    env: { ...environment, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(uid === undefined ? {} : { uid, gid: uid }),
  })
}

/** Runs the command line as its own process, with nothing in the environment but what is given. */
export async function mcpworks(
  args: readonly string[],
  env: Record<string, string> = {},
  uid?: number,
): Promise<CommandResult> {
  const child = spawnMcpworks(args, env, uid)
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code: typeof code === 'number' ? code : null, stdout, stderr }
}

/** A server in a process of its own. */
export interface ServerProcess extends AsyncDisposable {
  readonly child: ChildProcess
  readonly url: string
  /** The `started` line of `mcpworks up --json`. */
  readonly started: JsonObject
  /** What it wrote to stderr so far. */
  stderr(): string
  /** Sends the signal and waits for the end; answers the exit code. */
  stop(signal: NodeJS.Signals): Promise<number | null>
}

/** Starts `mcpworks up` and waits until it says that it has started. Rejects with its stderr where it ends instead. */
export async function startServerProcess(
  dataDirectory: string,
  args: readonly string[] = [],
  env: Record<string, string> = {},
): Promise<ServerProcess> {
  const child = spawnMcpworks(['--json', '--data-directory', dataDirectory, 'up', '--port', '0', ...args], env)
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString('utf8')))
  const lines = createInterface({ input: child.stdout })
  const ended = once(child, 'close')
  const [line] = (await Promise.race([once(lines, 'line'), ended.then(() => [null])])) as [string | null]
  const started: unknown = line === null ? null : JSON.parse(line)
  if (!isJsonObject(started) || started.event !== 'started')
    throw new Error(`the server did not start: ${line ?? ''} ${errors}`)
  async function stop(signal: NodeJS.Signals): Promise<number | null> {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill(signal)
      await ended
    }
    return child.exitCode
  }
  return {
    child,
    url: String(started.url),
    started,
    stderr: () => errors,
    stop,
    [Symbol.asyncDispose]: async () => void (await stop('SIGKILL')),
  }
}

/** Key of a demo agent, from the `started` line. */
export function demoKey(server: ServerProcess, agent: string): string {
  const demo = isJsonObject(server.started.demo) ? server.started.demo : {}
  const agents = Array.isArray(demo.agents) ? demo.agents : []
  const found = agents.find((one) => isJsonObject(one) && one.name === agent)
  return isJsonObject(found) ? String(found.apiKey) : ''
}

async function text(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString('utf8')
}
