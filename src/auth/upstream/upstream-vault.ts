import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { createTurns, McpworksError, type Clock } from '../../kernel/index.ts'
import type { KeyManagementService } from './key-management.ts'
import type { SecretName, StoredDataKey, StoredSecret, UpstreamStore } from './upstream-store.ts'

const nonceBytes = 12
const tagBytes = 16

/** What a secret is stored with besides its value. */
export type SecretFacts = Pick<StoredSecret, 'expiresAtMs'>

/** Secrets for upstream servers, sealed. Nothing of a value is in an error or can be seen without opening it. */
export interface UpstreamVault {
  /**
   * Seals and stores a value as the next version. `expected` is the version that it takes the place of, 0 for none.
   * `false` where another one was stored meanwhile.
   */
  put(name: SecretName, value: string, facts: SecretFacts, expected: number): Promise<boolean>
  find(name: SecretName): Promise<StoredSecret | null>
  /** @throws McpworksError `storage_unavailable` where the row was changed or swapped, or its key was destroyed. */
  open(secret: StoredSecret): Promise<string>
  /** Makes a new data key, seals every secret of the namespace anew under it, and destroys the keys before it. */
  rotateDataKey(namespace: string): Promise<{ epoch: number; resealed: number }>
  /** Wraps data keys anew that are not under the present master key. `former` unwraps those. Answers how many. */
  rewrap(former: Pick<KeyManagementService, 'unwrap'>): Promise<number>
  /**
   * Destroys the data keys of a namespace: none of its secrets can be opened again. A copy of the whole database from
   * before still holds the keys, under the master key.
   */
  destroyNamespace(namespace: string): Promise<void>
}

/** Makes the vault. Keys are unwrapped for each use and kept nowhere. */
export function createUpstreamVault(store: UpstreamStore, keys: KeyManagementService, clock: Clock): UpstreamVault {
  // Nothing may be sealed under a data key while it is being put out of use.
  const inTurn = createTurns()

  async function unwrap(key: StoredDataKey): Promise<Uint8Array> {
    return keys.unwrap(purposeOf(key), key)
  }

  async function makeKey(namespace: string, epoch: number): Promise<StoredDataKey> {
    const bytes = randomBytes(32)
    const wrapped = await keys.wrap(purposeOf({ namespace, epoch }), bytes)
    bytes.fill(0)
    const key = { namespace, epoch, ...wrapped, createdAtMs: clock.nowMs() }
    await store.insertKey(key)
    return key
  }

  async function newestKey(namespace: string): Promise<StoredDataKey> {
    return (await store.listKeys(namespace)).at(-1) ?? makeKey(namespace, 1)
  }

  async function open(secret: StoredSecret): Promise<string> {
    const key = (await store.listKeys(secret.namespace)).find(({ epoch }) => epoch === secret.epoch)
    if (key === undefined) throw unreadable(secret)
    const bytes = await unwrap(key)
    try {
      const decipher = createDecipheriv('aes-256-gcm', bytes, secret.sealed.subarray(0, nonceBytes), {
        authTagLength: tagBytes,
      })
      decipher.setAAD(boundTo(secret))
      decipher.setAuthTag(secret.sealed.subarray(secret.sealed.length - tagBytes))
      const sealed = secret.sealed.subarray(nonceBytes, secret.sealed.length - tagBytes)
      return Buffer.concat([decipher.update(sealed), decipher.final()]).toString('utf8')
    } catch (cause) {
      throw unreadable(secret, cause)
    } finally {
      bytes.fill(0)
    }
  }

  async function seal(
    at: SecretName & Pick<StoredSecret, 'version'>,
    value: string,
  ): Promise<{ epoch: number; sealed: Uint8Array }> {
    const key = await newestKey(at.namespace)
    const bytes = await unwrap(key)
    const nonce = randomBytes(nonceBytes)
    const cipher = createCipheriv('aes-256-gcm', bytes, nonce)
    cipher.setAAD(boundTo({ ...at, epoch: key.epoch }))
    const sealed = Buffer.concat([nonce, cipher.update(value, 'utf8'), cipher.final(), cipher.getAuthTag()])
    bytes.fill(0)
    return { epoch: key.epoch, sealed }
  }

  async function rotate(namespace: string): Promise<{ epoch: number; resealed: number }> {
    const before = await store.listKeys(namespace)
    const { epoch } = await makeKey(namespace, (before.at(-1)?.epoch ?? 0) + 1)
    let resealed = 0
    for (
      let stale = await staleSecrets(namespace, epoch);
      stale.length > 0;
      stale = await staleSecrets(namespace, epoch)
    ) {
      for (const secret of stale) {
        const value = await open(secret)
        const version = secret.version + 1
        // One that was stored meanwhile is under the new key already, or is found in the next round.
        const sealed = await seal({ ...secret, version }, value)
        if (await store.putSecret({ ...secret, version, ...sealed }, secret.version)) resealed += 1
      }
    }
    for (const key of before) await store.removeKey(namespace, key.epoch)
    return { epoch, resealed }
  }

  return {
    find: (name) => store.findSecret(name),
    open,
    put({ namespace, server, ownerId, kind }, value, { expiresAtMs }, expected) {
      const name: SecretName = { namespace, server, ownerId, kind }
      const version = expected + 1
      return inTurn(namespace, async () =>
        store.putSecret(
          {
            ...name,
            version,
            ...(await seal({ ...name, version }, value)),
            status: 'connected',
            expiresAtMs,
            refreshingSinceMs: null,
            failures: 0,
            retryAtMs: null,
            changedAtMs: clock.nowMs(),
          },
          expected,
        ),
      )
    },
    rotateDataKey: (namespace) => inTurn(namespace, () => rotate(namespace)),
    async rewrap(former) {
      const current = await keys.currentKeyId()
      const others = (await store.listAllKeys()).filter(({ wrappingKeyId }) => wrappingKeyId !== current)
      for (const key of others) {
        const bytes = await former.unwrap(purposeOf(key), key)
        await store.replaceWrapping({ ...key, ...(await keys.wrap(purposeOf(key), bytes)) })
        bytes.fill(0)
      }
      return others.length
    },
    destroyNamespace: (namespace) =>
      inTurn(namespace, async () => {
        for (const { epoch } of await store.listKeys(namespace)) await store.removeKey(namespace, epoch)
      }),
  }

  async function staleSecrets(namespace: string, epoch: number): Promise<StoredSecret[]> {
    return (await store.listSecrets(namespace, null)).filter((secret) => secret.epoch < epoch)
  }
}

function purposeOf({ namespace, epoch }: Pick<StoredDataKey, 'namespace' | 'epoch'>): string {
  return `upstream data key ${namespace} ${epoch}`
}

/** What a sealed value belongs to: moved to another row, or left behind by a newer version, it does not open. */
function boundTo(at: SecretName & Pick<StoredSecret, 'version' | 'epoch'>): Uint8Array {
  const { namespace, server, ownerId, kind, version, epoch } = at
  return Buffer.from(JSON.stringify(['mcpworks upstream secret', namespace, server, ownerId, kind, version, epoch]))
}

function unreadable({ namespace, server, kind }: SecretName, cause?: unknown): McpworksError {
  return new McpworksError('storage_unavailable', {
    message: `The stored secret for the server ${namespace}/${server} cannot be opened. Connect it again.`,
    detail: `sealed ${kind} does not open`,
    cause,
  })
}
