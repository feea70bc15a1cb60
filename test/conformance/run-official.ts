import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** What the official runner said of one scenario. */
export interface ScenarioResult {
  readonly scenario: string
  readonly passed: number
  readonly failed: number
}

/** What the official runner said. */
export interface OfficialRun {
  /** Everything that was run, scored or not. */
  readonly scenarios: readonly ScenarioResult[]
  /** Names of scenarios that the revision does not score (extensions, pending). */
  readonly notScored: ReadonlySet<string>
  /** 0 only if no scored scenario failed. */
  readonly exitCode: number | null
  readonly output: string
}

const runner = fileURLToPath(
  new URL('../../node_modules/@modelcontextprotocol/conformance/dist/index.js', import.meta.url),
)

/** Runs the official conformance suite of a revision against a server. */
export async function runOfficial(url: string, revision: string): Promise<OfficialRun> {
  const child = spawn(process.execPath, [runner, 'server', '--url', url, '--requirements', revision], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
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
  const [, summary = ''] = output.split('=== SUMMARY ===')
  const [scored = '', notScored = ''] = summary.split(/^Not scored for .*$/m)
  return {
    scenarios: [...scored.matchAll(/^[✓✗~?\s]*([a-z0-9-]+): (\d+) passed, (\d+) failed/gm)].map(
      ([, scenario, passed, failed]) => ({
        scenario: String(scenario),
        passed: Number(passed),
        failed: Number(failed),
      }),
    ),
    notScored: new Set([...notScored.matchAll(/^\s*[✓✗] ([a-z0-9-]+) \(/gm)].map(([, name]) => String(name))),
    exitCode,
    output,
  }
}
