import type { IdentityRegistry } from '../identity-registry.ts'

/** Ends everything that people let a client do, from the next request on. Gives how many grants there were. */
export async function revokeGrantsOf(
  clientId: string,
  registry: Pick<IdentityRegistry, 'listActiveCredentials' | 'revokeCredential'>,
): Promise<number> {
  const grants = registry
    .listActiveCredentials('grant')
    .filter(({ credential }) => credential.details.clientId === clientId)
  for (const { credential, principal } of grants) await registry.revokeCredential(principal.namespace, credential.id)
  return grants.length
}
