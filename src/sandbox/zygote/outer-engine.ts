import type { RuntimeLayout } from '../layout/runtime-layout.ts'
import type { OuterJail } from '../launcher/launcher.ts'
import type { SandboxEngine } from '../sandbox-engine.ts'

/** An engine that can also make an outer jail: one in which trusted code makes jails of its own. */
export interface OuterEngine extends SandboxEngine {
  /**
   * Everything as for a jail, but with namespaces allowed to be made inside, a procfs, and the filter `zygote`. Descriptor
   * 3 reaches the first process.
   */
  outerJail(layout: RuntimeLayout): OuterJail
}

/** Whether an engine can carry zygotes. */
export function isOuterEngine(engine: SandboxEngine): engine is OuterEngine {
  return 'outerJail' in engine
}
