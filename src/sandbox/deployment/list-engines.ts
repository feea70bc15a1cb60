import type { SandboxConfig } from '../config.ts'
import { findNsjail } from '../nsjail/find-program.ts'
import { isProgram } from '../oci/find-tools.ts'
import { probeKata } from '../oci/kata.ts'
import { ociRuntimes } from '../oci/oci-runtime.ts'
import { findOciRuntime } from '../oci/probe-oci.ts'

type EngineSettings = Pick<SandboxConfig, 'bubblewrapPath' | 'nsjailPath' | 'ociRuntimePath' | 'engine'>

/**
 * Which engines' programs are on this machine, in one line. That a program is there says nothing of whether it makes a
 * jail that holds: `sandbox check` tries that.
 */
export async function listEngines(config: EngineSettings): Promise<string> {
  const nsjail = findNsjail(config.nsjailPath).path
  const bubblewrap = isProgram(config.bubblewrapPath) ? config.bubblewrapPath : null
  const oci = Object.values(ociRuntimes).map((runtime): [string, string | null] => {
    // The configured path is that of the configured engine.
    const path = findOciRuntime(runtime, config.engine === runtime.name ? config.ociRuntimePath : null)
    return [runtime.name, path]
  })
  const found: [string, string | null][] = [['nsjail', nsjail], ['bubblewrap', bubblewrap], ...oci]
  const kata = await probeKata(config.engine === 'kata' ? config.ociRuntimePath : null)
  const texts = found.map(([name, path]) => (path === null ? `${name} is not there` : `${name} at ${path}`))
  return [...texts, `kata is not run (${kata.ok ? kata.version : kata.reason})`].join('; ')
}
