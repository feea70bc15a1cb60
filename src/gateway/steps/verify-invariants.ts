import type { DecisionLog, OutcomeDraft } from '../../audit/index.ts'
import { digestJson } from '../../kernel/index.ts'
import type { ForcedProfile } from '../../policy/index.ts'
import type { CatalogueEntry } from '../catalogue.ts'
import type { InnerCalls } from '../inner-calls.ts'
import type { GatewayPorts } from '../ports.ts'
import type { Acted } from './act.ts'

/** What must have held, and whether it did. */
export type Invariants = OutcomeDraft['outcome']['invariants']

/** What was done. */
export interface Done {
  readonly namespace: string
  readonly entry: CatalogueEntry | null
  readonly acted: Acted
  /** The sandbox profile that a policy forced. */
  readonly forced: ForcedProfile | null
  readonly inner: Pick<InnerCalls, 'answered'>
}

type Ports = Pick<GatewayPorts, 'sandbox' | 'catalogue'> & { readonly decisionLog: Pick<DecisionLog, 'read'> }

/**
 * Compares what was decided with what was done: code ran under the sandbox profile that the decision names, also where a
 * policy forced it; the kernel says so; the definition is the one that was decided on; and each call that the code made
 * has a decision of its own in the log. Where one fails, the outcome is recorded with it and the output is withheld.
 * Never rejects: what cannot be compared has failed.
 */
export async function verifyInvariants(done: Done, ports: Ports): Promise<Invariants> {
  const { entry, acted } = done
  if (entry === null) return []
  return [
    ...sandboxInvariants(entry, acted, done.forced, ports),
    definitionInvariant(entry, ports),
    ...(await innerInvariants(done, ports.decisionLog)),
  ]
}

/**
 * Nothing to compare where nothing ran in a sandbox, or where the code was killed before or with the process that knew
 * its profile: then there is no output either.
 */
function sandboxInvariants(
  { runtime }: CatalogueEntry,
  acted: Acted,
  forced: ForcedProfile | null,
  ports: Pick<GatewayPorts, 'sandbox'>,
): Invariants {
  if (runtime === null || acted.status === 'broken') return []
  const { sandbox: used, jail } = acted
  if (acted.status === 'killed' && used === undefined) return []
  const asked = ports.sandbox(runtime, forced)
  const pass = asked !== null && used !== undefined && used.profileHash === asked.profileHash
  const detail = pass ? null : `asked ${asked?.profileHash ?? 'none'}, used ${used?.profileHash ?? 'none'}`
  const profile = { id: 'sandbox-profile', pass, detail }
  if (jail !== undefined) return [profile, ...jail.checks]
  if (acted.status === 'killed') return [profile]
  return [profile, { id: 'sandbox-confined', pass: false, detail: 'nothing of the jail was read back from the kernel' }]
}

/**
 * What was pinned is what it was, by its own hash. A hosted function is a version that never changes, so that a newer one
 * may have come in the meantime; anything else must be in the catalogue as it was decided on.
 */
function definitionInvariant(
  entry: CatalogueEntry,
  { catalogue }: Pick<GatewayPorts, 'catalogue'>,
): Invariants[number] {
  const id = 'definition-unchanged'
  const now = digestJson(entry.definition)
  if (now !== entry.definitionHash) return { id, pass: false, detail: `decided on ${entry.definitionHash}, is ${now}` }
  if (entry.runtime !== null) return { id, pass: true, detail: null }
  const current = catalogue.resolve(entry.namespace, entry.kind, entry.name)?.definitionHash
  const pass = current === entry.definitionHash
  return { id, pass, detail: pass ? null : `decided on ${entry.definitionHash}, is ${current ?? 'not there any more'}` }
}

/** Answers that nothing was run need no decision: it is what could not be recorded. */
async function innerInvariants({ namespace, inner }: Done, log: Pick<DecisionLog, 'read'>): Promise<Invariants> {
  const ran = inner.answered.filter(({ status }) => status !== 'unavailable')
  if (ran.length === 0) return []
  const id = 'inner-calls-recorded'
  try {
    const missing: string[] = []
    for (const { call } of ran) {
      const found = await log.read({ namespace, call, kinds: ['decision'], limit: 1 })
      if (found.length === 0) missing.push(call)
    }
    const pass = missing.length === 0
    return [{ id, pass, detail: pass ? null : `no decision is in the log for ${missing.slice(0, 5).join(', ')}` }]
  } catch {
    return [{ id, pass: false, detail: 'the log could not be read' }]
  }
}
