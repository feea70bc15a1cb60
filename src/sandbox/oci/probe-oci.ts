import { existsSync } from 'node:fs'
import { runTool } from '../executor/run-tool.ts'
import type { EngineProbe } from '../sandbox-engine.ts'
import { openCell } from './cell.ts'
import { findCellTools, findProgram, isProgram } from './find-tools.ts'
import type { OciRuntime } from './oci-runtime.ts'

const namespaces = 'sysctl -w kernel.apparmor_restrict_unprivileged_userns=0 user.max_user_namespaces=15000'

/** Where the program of a runtime is: where it is configured to be, or under its own name in the usual places. */
export function findOciRuntime({ name }: OciRuntime, configured: string | null): string | null {
  if (configured === null) return findProgram(name)
  return isProgram(configured) ? configured : null
}

/** Whether a runtime is there, says what it is, and gets the namespaces that it works in. Whether it makes a jail is for the self-test to find. */
export async function probeOci(runtime: OciRuntime, configured: string | null): Promise<EngineProbe> {
  const path = findOciRuntime(runtime, configured)
  if (path === null) {
    return {
      ok: false,
      reason: `there is no program ${configured ?? runtime.name}`,
      remedy: `apt-get install ${runtime.name}, or set sandbox.ociRuntimePath to where it is`,
    }
  }
  const { tools, missing } = findCellTools()
  if (tools === null)
    return { ok: false, reason: `there is no ${missing}`, remedy: 'apt-get install util-linux coreutils mount' }
  if (!existsSync('/proc/self/task') || !existsSync(`/proc/self/task/${String(process.pid)}/children`))
    return {
      ok: false,
      reason: 'the kernel was built without CONFIG_PROC_CHILDREN',
      remedy: 'set sandbox.engine to bubblewrap',
    }
  let version: string
  try {
    version = versionIn(await runTool(path, ['--version']), runtime.name)
  } catch (error) {
    return { ok: false, reason: reasonOf(error), remedy: `set sandbox.ociRuntimePath to the program ${runtime.name}` }
  }
  try {
    const cell = await openCell(tools, runtime.hidesCgroups)
    await cell.close()
  } catch (error) {
    return { ok: false, reason: reasonOf(error), remedy: namespaces }
  }
  return { ok: true, version }
}

/** All of them say "<name> version <version>" first. @throws Error for a program that says something else */
function versionIn(text: string, name: string): string {
  const [line = ''] = text.split('\n')
  const found = /^(\w+) version (\S+)$/.exec(line.trim())
  if (found?.[1] !== name) throw new Error(`it says of itself: ${line.slice(0, 100)}`)
  return found[2] ?? ''
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message.slice(0, 500) : String(error)
}
