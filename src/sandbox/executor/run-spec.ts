import type { SandboxEvents, SandboxOutcome, SandboxSpec } from '../sandbox.ts'
import { execute } from './execution.ts'
import type { Workshop } from './prepare.ts'

const pageBytes = 4096

/** Runs one spec in a jail of its own. `onSealed` is called with the first process inside, before it receives the code. */
export async function runSpec(
  workshop: Workshop,
  spec: SandboxSpec,
  events: SandboxEvents,
  onSealed: (pid: number) => void = () => undefined,
): Promise<SandboxOutcome> {
  const { engine, finalFilters, seccompNumber, ownFilters } = workshop
  const { name, hash } = engine.profile(spec.runtime)
  const facts = { engine: engine.name, profile: name, profileHash: hash }
  const jail = engine.start({
    runtime: spec.runtime,
    codeBytes: codeBytes(spec),
    scratchBytes: spec.limits.scratchBytes,
  })
  return execute(
    jail,
    spec,
    { facts, finalFilter: finalFilters[spec.runtime], seccompNumber, ownFilters, onSealed },
    events,
  )
}

/** Whole pages for each file, and room for what the runtime may put beside them. */
function codeBytes(spec: SandboxSpec): number {
  let total = 64 * pageBytes
  for (const bytes of spec.files.values()) total += Math.ceil(bytes.byteLength / pageBytes + 1) * pageBytes
  return total
}
