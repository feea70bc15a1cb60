import type { IdentityEvents, IdentityRegistry } from '../auth/index.ts'
import type { Caller } from '../kernel/index.ts'
import type { ConnectionFiles } from './connection-files.ts'

/** The user that commands of this machine act as. */
export const operatorName = 'operator'

/**
 * The local operator: a user in the role `owner` whose key lies in the data directory, so that commands on this
 * machine work without a set-up. A key that is gone, revoked or unreadable is replaced by a new one.
 */
export async function ensureOperator(
  registry: IdentityRegistry,
  files: ConnectionFiles,
  events: Pick<IdentityEvents, 'record'>,
): Promise<Caller> {
  const principal = registry.findPrincipal(operatorName) ?? (await registry.addUser(operatorName, ['owner']))
  const keyId = files.readOperatorKey()?.split('_')[1] ?? ''
  let credentialId = registry.findActive(keyId)?.key.id
  if (credentialId === undefined) {
    for (const key of registry.listKeys(principal.id))
      if (key.revokedAtMs === null) await registry.revokeKey(null, key.id)
    const { text, key } = await registry.createKey(principal.id, {
      label: 'this machine',
      scopes: ['admin'],
      expiresAtMs: null,
    })
    await events.record({
      type: 'key-issued',
      namespace: null,
      principalId: principal.id,
      credentialId: key.id,
      address: '',
      facts: { label: key.label, scopes: [...key.scopes] },
    })
    // Nobody has the key before its record is durable.
    files.writeOperatorKey(text)
    credentialId = key.id
  }
  return {
    principal: { type: 'user', id: principal.id, name: principal.name, namespace: null, groups: principal.groups },
    authentication: { method: 'api-key', credentialId, senderConstrained: false, expiresAtMs: null, scopes: ['admin'] },
    client: { address: '127.0.0.1', claimedName: 'mcpworks up' },
  }
}
