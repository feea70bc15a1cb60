import type { JailOrder } from '../sandbox-engine.ts'
import type { SandboxEvents, SandboxOutcome, SandboxSpec } from '../sandbox.ts'
import { execute } from './execution.ts'
import type { Workshop } from './prepare.ts'

const pageBytes = 4096
const leastCodeBytes = 4 * 1024 * 1024

/** Runs one spec in a jail of its own. `onSealed` is called with the first process inside, before it receives the code. */
export async function runSpec(
  workshop: Workshop,
  spec: SandboxSpec,
  events: SandboxEvents,
  onSealed: (pid: number) => void = () => undefined,
): Promise<SandboxOutcome> {
  const { engine, jails } = spec.isStrict === true ? workshop.fresh : workshop
  const { name, hash } = engine.profile(spec.runtime)
  const facts = { engine: engine.name, profile: name, profileHash: hash }
  const result = await jails.take(orderOf(spec), events.signal)
  if (result.ok && !result.jail.isFit) {
    // It ended, or spoke before it was asked. It has received nothing, so nothing has run.
    result.jail.kill()
    await result.jail.ended
  } else if (result.ok) {
    onSealed(result.jail.pid)
    return await execute(result.jail, spec, facts, events)
  }
  const nothing = { usage: { wallMs: 0, cpuMs: 0, maxRssBytes: 0 }, stdout: '', stderr: '', droppedBytes: 0 }
  if (events.signal?.aborted === true)
    return { status: 'killed', reason: 'cancelled', message: 'The call was cancelled.', ...facts, ...nothing }
  const why = result.ok ? 'its runner failed' : result.why
  return { status: 'unavailable', message: `No jail could be made: ${why}.`, ...facts, ...nothing }
}

function orderOf(spec: SandboxSpec): JailOrder {
  const { runtime, limits } = spec
  return { runtime, codeBytes: codeBytes(spec), scratchBytes: limits.scratchBytes, limits }
}

/**
 * Whole pages for each file, and room for what the runtime may put beside them; rounded up to a power of two, so that
 * functions of about the same size have equal orders.
 */
function codeBytes(spec: SandboxSpec): number {
  let total = 64 * pageBytes
  for (const bytes of spec.files.values()) total += Math.ceil(bytes.byteLength / pageBytes + 1) * pageBytes
  return Math.max(leastCodeBytes, 2 ** Math.ceil(Math.log2(total)))
}
