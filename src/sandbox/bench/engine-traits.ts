import { architectures } from '../profile/architecture.ts'
import { callRules } from '../profile/call-rules.ts'
import { seccompProfile, type FilterName } from '../profile/seccomp-profile.ts'
import type { CheckedEngine } from '../containment/check-engine.ts'
import type { Runtime } from '../sandbox.ts'

/** What is known of an engine without measuring it. */
export interface EngineTraits {
  readonly technology: string
  readonly isolation: string
  readonly tradeOff: string
}

/** Every engine, and what choosing it means. */
export const engineTraits: Readonly<Record<CheckedEngine, EngineTraits>> = {
  nsjail: {
    technology: 'nsjail',
    isolation: 'namespaces, cgroups, seccomp; shared kernel',
    tradeOff: 'mounts are noexec and bounded in files; has to be built or installed by hand',
  },
  bubblewrap: {
    technology: 'bubblewrap',
    isolation: 'namespaces, cgroups, seccomp; shared kernel',
    tradeOff: 'in every distribution, needs no privilege; the number of files is watched, not bounded',
  },
  crun: {
    technology: 'crun (OCI)',
    isolation: 'container; shared kernel',
    tradeOff: 'what container platforms know how to run and watch; a new container for each call',
  },
  runc: {
    technology: 'runc (OCI)',
    isolation: 'container; shared kernel',
    tradeOff: 'as crun, the reference runtime; slower to start',
  },
  runsc: {
    technology: 'gVisor (runsc)',
    isolation: 'a kernel in user space before that of the host',
    tradeOff: 'a bug of the host kernel is out of reach; many times slower',
  },
  kata: {
    technology: 'Kata Containers',
    isolation: 'virtual machine',
    tradeOff: 'the strongest wall; needs hardware virtualisation, and a tenth of a second or more',
  },
}

/** System calls that the final filter of a runtime lets through, always or for some arguments. */
export function allowedCalls(runtime: Runtime): { readonly always: number; readonly byArguments: number } {
  const filter: FilterName = runtime === 'python' ? 'python' : 'bun'
  const names = new Set([...architectures.values()].flatMap((each) => [...each.numbers.keys()]))
  const answers = [...callRules(seccompProfile, filter, names).values()].map(({ answer }) => answer)
  return {
    always: answers.filter((answer) => answer === 'allow').length,
    byArguments: answers.filter((answer) => answer === 'by-arguments').length,
  }
}
