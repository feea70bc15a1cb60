import type { IdentityRegistry, UpstreamVault } from '../../../../src/auth/index.ts'
import type { DecisionLog } from '../../../../src/audit/index.ts'
import type { GuardedFetch } from '../../../../src/egress/index.ts'
import type { Backend, CatalogueEntry, Gateway, GatewayRequest, InvocationEvents } from '../../../../src/gateway/index.ts'
import type { PolicyEngine, PolicyStore, StoredPolicySet } from '../../../../src/policy/index.ts'
import type { Sandbox, SandboxSpec } from '../../../../src/sandbox/index.ts'

/** Doors that somebody could write and that must be found: each has an effect that nobody decided. */

export function addsAnAgent(registry: IdentityRegistry): () => Promise<void> {
  return async () => {
    await registry.addAgent('demo', 'stray', [])
  }
}

export async function keepsAPart({ activate }: PolicyStore, set: StoredPolicySet): Promise<void> {
  await activate(set)
}

export function handsItOn(store: PolicyStore, each: (run: (set: StoredPolicySet) => Promise<void>) => void): void {
  const { activate } = store
  each(activate)
}

interface Inner {
  readonly storeOf: () => { readonly held: PolicyStore }
}

export class HidesItInAClass {
  readonly #inner: Inner

  constructor(inner: Inner) {
    this.#inner = inner
  }

  async serve(set: StoredPolicySet): Promise<void> {
    await this.#inner.storeOf().held.activate(set)
  }
}

export async function runsTheBackendItself(
  entry: CatalogueEntry,
  ...given: Parameters<Backend['act']>
): Promise<void> {
  await entry.backend.act(...given)
}

export const inATable = {
  async sandbox(sandbox: Sandbox, spec: SandboxSpec): Promise<void> {
    await sandbox.run(spec)
  },
}

export const picksByName = (vault: UpstreamVault, which: 'destroyNamespace'): Promise<void> => vault[which]('demo')

export async function goesOut(parts: { readonly fetch: GuardedFetch }): Promise<void> {
  await parts.fetch('https://example.com/', {}, { purpose: 'x', maxBytes: 1, timeoutMs: 1, allow: { networks: [] } })
}

export const readsTheLog = async (log: DecisionLog): Promise<unknown> => log.readBody('id', 'input')

export function changesThePolicies(policy: PolicyEngine): void {
  policy.remove('demo')
}

export function byTheClock(registry: IdentityRegistry): void {
  setInterval(() => void registry.revokePrincipal('demo/agent'), 1000)
}

/** What a door is to do. */
export async function asksThePipeline(gateway: Gateway, request: GatewayRequest, events: InvocationEvents): Promise<void> {
  await gateway.perform(request, events)
}
