import { BubblewrapEngine, probeBubblewrap, type EngineFilters } from '../bubblewrap/bubblewrap-engine.ts'
import { NsjailEngine, type EnginePolicies } from '../nsjail/nsjail-engine.ts'
import { probeNsjail } from '../nsjail/probe-nsjail.ts'
import { OciEngine } from '../oci/oci-engine.ts'
import { probeKata } from '../oci/kata.ts'
import { ociRuntimes } from '../oci/oci-runtime.ts'
import { probeOci } from '../oci/probe-oci.ts'
import type { RuntimeLayout } from '../layout/runtime-layout.ts'
import type { OciSeccomp } from '../profile/to-oci-seccomp.ts'
import type { ExecutorSettings } from '../protocol/executor-messages.ts'
import type { EngineProbe, SandboxEngine } from '../sandbox-engine.ts'
import type { Runtime } from '../sandbox.ts'

/** What engines are made of. */
export interface EngineParts {
  readonly settings: ExecutorSettings
  readonly layouts: Readonly<Record<Runtime, RuntimeLayout>>
  readonly filters: EngineFilters
  /** The same as kafel policies. */
  readonly policies: EnginePolicies
  /** The filter of the start as an OCI runtime takes it. */
  readonly startSeccomp: OciSeccomp
  readonly finalFilters: Readonly<Record<Runtime, Uint8Array>>
}

/** An engine that can be configured. */
interface EngineChoice {
  /** Whether it can be used; asked before its engine is made. */
  readonly probe: (settings: ExecutorSettings) => Promise<EngineProbe>
  readonly make: (parts: EngineParts) => SandboxEngine | Promise<SandboxEngine>
  /** `auto` passes it over. */
  readonly isOnlyByChoice?: boolean
}

/** Every engine by its name in the configuration, the strongest first: `auto` takes the first that can be used. */
const engineChoices: ReadonlyMap<string, EngineChoice> = new Map<string, EngineChoice>([
  [
    'nsjail',
    {
      probe: async ({ nsjailPath }) => await probeNsjail(nsjailPath),
      make: ({ settings, layouts, policies, finalFilters }) =>
        new NsjailEngine(settings.nsjailPath, layouts, policies, finalFilters),
    },
  ],
  [
    'bubblewrap',
    {
      probe: async ({ bubblewrapPath }) => await probeBubblewrap(bubblewrapPath),
      make: ({ settings, layouts, filters, finalFilters }) =>
        new BubblewrapEngine(settings.bubblewrapPath, layouts, filters, finalFilters),
    },
  ],
  ['crun', ociChoice('crun')],
  ['runc', ociChoice('runc')],
  ['runsc', { ...ociChoice('runsc'), isOnlyByChoice: true }],
  [
    'kata',
    {
      probe: async ({ ociRuntimePath }) => await probeKata(ociRuntimePath),
      make: () => {
        throw new Error('there are no jails of kata')
      },
      isOnlyByChoice: true,
    },
  ],
])

function ociChoice(name: keyof typeof ociRuntimes): EngineChoice {
  const runtime = ociRuntimes[name]
  return {
    probe: async ({ ociRuntimePath }) => await probeOci(runtime, ociRuntimePath),
    make: async ({ settings, layouts, startSeccomp, finalFilters }) =>
      await OciEngine.open(runtime, settings.ociRuntimePath, { layouts, seccomp: startSeccomp, finalFilters }),
  }
}

/** The engine that was chosen and its version. */
export interface ChosenEngine {
  readonly name: string
  readonly version: string
  readonly choice: EngineChoice
}

/** Finds the configured engine, or the strongest that is there. @throws Error with what is missing and what to type */
export async function chooseEngine(settings: ExecutorSettings): Promise<ChosenEngine> {
  const problems: string[] = []
  for (const [name, choice] of engineChoices) {
    if (settings.engine === 'auto' ? choice.isOnlyByChoice === true : settings.engine !== name) continue
    const probe = await choice.probe(settings)
    if (probe.ok) return { name, version: probe.version, choice }
    problems.push(`${name} cannot be used: ${probe.reason}. Type: ${probe.remedy}`)
  }
  throw new Error(problems.join('\n'))
}
