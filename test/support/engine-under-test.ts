import { jailProfile } from '../../src/sandbox/profile/jail-profile.ts'
import { ociRuntimes } from '../../src/sandbox/oci/oci-runtime.ts'
import { findNsjail } from '../../src/sandbox/nsjail/find-program.ts'

const ofTheDistribution = ['bubblewrap', 'crun', 'runc', 'runsc'] as const

/** What of the sandbox's configuration decides on the engine. */
interface EngineSettings {
  readonly engine: (typeof ofTheDistribution)[number] | 'nsjail'
  readonly nsjailPath?: string
}

/**
 * The engine that the suites of the sandbox run on: bubblewrap, or what MCPWORKS_TEST_ENGINE names. nsjail is the one at
 * MCPWORKS_TEST_NSJAIL, else the one that the product would find.
 */
export const engineUnderTest: EngineSettings = settingsOf(process.env['MCPWORKS_TEST_ENGINE'] ?? 'bubblewrap')

function settingsOf(engine: string): EngineSettings {
  const known = ofTheDistribution.find((name) => name === engine)
  if (known !== undefined) return { engine: known }
  if (engine !== 'nsjail')
    throw new Error(`MCPWORKS_TEST_ENGINE is ${engine}; the suites know nsjail, ${ofTheDistribution.join(', ')}`)
  const { path, problem } = findNsjail(process.env['MCPWORKS_TEST_NSJAIL'] ?? null)
  if (path === null)
    throw new Error(
      `These tests need an nsjail, and ${problem}. Build one from its public source and set MCPWORKS_TEST_NSJAIL to its path.`,
    )
  return { engine, nsjailPath: path }
}

/** What its jails show of the engine, beside what every jail has. */
export const engineTraits: {
  readonly idInside: number
  readonly adds: readonly string[]
  readonly output: 'socket' | 'pipe'
} =
  engineUnderTest.engine === 'runc'
    ? { idInside: ociRuntimes.runc.idInside, adds: ociRuntimes.runc.adds, output: 'pipe' }
    : { idInside: jailProfile.uid, adds: [], output: 'socket' }
