import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'

/** What the official runner said of a client. */
export interface ClientRun {
  readonly passed: number
  readonly failed: number
  readonly warnings: number
  /** Of every check that succeeded. */
  readonly succeeded: ReadonlySet<string>
  /** 0 only if no check failed and the client ended well. */
  readonly exitCode: number | null
  readonly output: string
}

const root = fileURLToPath(new URL('../../', import.meta.url))
/** The program of the official runner. */
export const conformanceRunner = join(root, 'node_modules/@modelcontextprotocol/conformance/dist/index.js')

/**
 * Runs one official client scenario. The client is a file of this folder, started with `more` and, as last argument, the
 * address of the server. The runner starts it by a shell: `more` are plain words.
 */
export async function runClientScenario(
  scenario: string,
  clientFile: string,
  more: readonly string[] = [],
): Promise<ClientRun> {
  const results = await mkdtemp(join(tmpdir(), 'mcpworks-conformance-'))
  try {
    const command = [process.execPath, join(root, 'test/conformance', clientFile), ...more].join(' ')
    const child = spawn(
      process.execPath,
      [conformanceRunner, 'client', '--command', command, '--scenario', scenario, '--output-dir', results],
      { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] },
    )
    let output = ''
    const collect = (chunk: Buffer): void => {
      output += chunk.toString('utf8')
    }
    child.stdout.on('data', collect)
    child.stderr.on('data', collect)
    const exitCode = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', resolve)
    })
    const [, passed = 0, failed = 0, warnings = 0] =
      /Passed: (\d+)\/\d+, (\d+) failed, (\d+) warnings/.exec(output)?.map(Number) ?? []
    const plain = stripVTControlCharacters(output)
    const succeeded = new Set([...plain.matchAll(/\[([a-z0-9-]+) *\] SUCCESS/g)].map(([, id]) => String(id)))
    return { passed, failed, warnings, succeeded, exitCode, output }
  } finally {
    await rm(results, { recursive: true, force: true })
  }
}
