import type { SandboxEvents, SandboxOutcome, SandboxSpec } from '../sandbox.ts'
import { execute } from './execution.ts'
import type { Workshop } from './prepare.ts'

const pageBytes = 4096

/** Runs one spec in a jail of its own. */
export async function runSpec(workshop: Workshop, spec: SandboxSpec, events: SandboxEvents): Promise<SandboxOutcome> {
  const { engine, finalFilters, seccompNumber, ownFilters } = workshop
  const { name, hash } = engine.profile(spec.runtime)
  const facts = { engine: engine.name, profile: name, profileHash: hash }
  const jail = engine.start({ runtime: spec.runtime, codeBytes: codeBytes(spec), scratchBytes: spec.limits.scratchBytes })
  return await execute(jail, spec, { facts, finalFilter: finalFilters[spec.runtime], seccompNumber, ownFilters }, events)
}

/** Whole pages for each file, and room for what the runtime may put beside them. */
function codeBytes(spec: SandboxSpec): number {
  let total = 64 * pageBytes
  for (const bytes of spec.files.values()) total += Math.ceil(bytes.byteLength / pageBytes + 1) * pageBytes
  return total
}
