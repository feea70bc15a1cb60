import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const runner = fileURLToPath(
  new URL('../../node_modules/@modelcontextprotocol/conformance/dist/index.js', import.meta.url),
)

/** How the official runner reaches an authorization server. */
export interface AuthorizationRunOptions {
  readonly issuer: string
  readonly clientId: string
  readonly resource: string
  /** Free port where the runner takes the answer, at `/callback` on 127.0.0.1. */
  readonly port: number
  /** Does what a person would with the URL that the runner prints. */
  readonly visit: (url: string) => Promise<void>
}

/** What the official runner said of each check. */
export interface AuthorizationRun {
  readonly output: string
  readonly exitCode: number | null
}

/** Runs the official authorization server scenarios. */
export async function runAuthorization(options: AuthorizationRunOptions): Promise<AuthorizationRun> {
  const { issuer, clientId, resource, port, visit } = options
  const child = spawn(
    process.execPath,
    [runner, 'authorization', '--url', issuer, '--client-id', clientId, '--resource', resource, '--port', String(port)],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let output = ''
  const visits: Promise<void>[] = []
  const collect = (chunk: Buffer): void => {
    output += chunk.toString('utf8')
    const [url] = /^http:\/\/\S+\/oauth\/authorize\?\S+$/m.exec(output) ?? []
    // The last line may still be coming.
    if (url !== undefined && output.includes('Waiting up to') && visits.length === 0) visits.push(visit(url))
  }
  child.stdout.on('data', collect)
  child.stderr.on('data', collect)
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  await Promise.all(visits)
  return { output, exitCode }
}
