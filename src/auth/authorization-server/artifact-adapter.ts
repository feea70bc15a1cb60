import { hash } from 'node:crypto'
import { errors, type Adapter, type AdapterPayload } from 'oidc-provider'
import type { Clock } from '../../kernel/index.ts'
import type { MasterKey } from '../master-key.ts'
import type { AuthorizationStore, StoredArtifact } from './authorization-store.ts'
import type { ClientDirectory } from './oauth-client.ts'

/** What the adapters stand on. */
export interface ArtifactAdapterParts {
  readonly store: AuthorizationStore
  readonly masterKey: Pick<MasterKey, 'seal' | 'open'>
  readonly clock: Clock
  readonly clients: ClientDirectory
  /** Ends a grant with all that hangs on it. Resolves when nothing of it is good any more. */
  readonly revokeGrant: (grantId: string, why: string) => Promise<void>
}

/**
 * oidc-provider's storage interface over our store. Differs from what its examples do in three things: ids are kept as
 * hashes and contents sealed, so that a copy of the database signs nobody in; using a code or refresh token is one
 * atomic step here, because the library looks first and marks afterwards, and two requests at once would both pass;
 * and sessions are kept nowhere, since who is signed in is not the library's to say.
 */
export function createArtifactAdapters(parts: ArtifactAdapterParts): (model: string) => Adapter {
  return (model) => {
    if (model === 'Client') return clientAdapter(parts.clients)
    if (model === 'Session') return nothingKept
    return artifactAdapter(model, parts)
  }
}

function artifactAdapter(model: string, { store, masterKey, clock, revokeGrant }: ArtifactAdapterParts): Adapter {
  const purposeOf = (idHash: string): string => `${model} ${idHash}`

  function read(stored: StoredArtifact, id: string): AdapterPayload {
    const text = Buffer.from(masterKey.open(purposeOf(stored.idHash), stored.sealed)).toString()
    const payload = JSON.parse(text) as AdapterPayload
    const consumed = stored.consumedAtMs === null ? {} : { consumed: Math.floor(stored.consumedAtMs / 1000) }
    return { ...payload, jti: id, ...consumed }
  }

  return {
    async upsert(id, payload, expiresIn) {
      const idHash = hashOf(id)
      const { jti: _, ...content } = payload
      const artifact: StoredArtifact = {
        model,
        idHash,
        grantId: model === 'Grant' ? id : (payload.grantId ?? null),
        sealed: masterKey.seal(purposeOf(idHash), Buffer.from(JSON.stringify(content))),
        expiresAtMs: expiryOf(payload, expiresIn, clock),
        consumedAtMs: null,
      }
      if (model !== 'ReplayDetection') {
        if (!(await store.put(artifact, mostOf.get(model)))) throw tooMany()
        return
      }
      // The library looked and found nothing; another request may have come in between.
      if (!(await store.insert(artifact))) throw new errors.InvalidGrant('replayed')
    },
    async find(id) {
      const stored = await store.find(model, hashOf(id))
      if (stored === null || stored.expiresAtMs <= clock.nowMs()) return undefined
      return read(stored, id)
    },
    async consume(id) {
      const idHash = hashOf(id)
      if (await store.consume(model, idHash, clock.nowMs())) return
      const stored = await store.find(model, idHash)
      if (stored !== null && stored.grantId !== null) await revokeGrant(stored.grantId, `${model} used twice at once`)
      throw new errors.InvalidGrant('already used')
    },
    async destroy(id) {
      if (model === 'Grant') return revokeGrant(id, 'grant revoked')
      return store.remove(model, hashOf(id))
    },
    revokeByGrantId: (grantId) => store.removeByGrant(grantId),
    // Only for sessions and the device flow, which are not here.
    findByUid: async () => undefined,
    findByUserCode: async () => undefined,
  }
}

/** What anybody can have made who knows a client or is one: how many of these are kept at once. */
const mostOf: ReadonlyMap<string, number> = new Map([
  ['Interaction', 10_000],
  ['PushedAuthorizationRequest', 10_000],
])

function tooMany(): Error {
  const error = new errors.TemporarilyUnavailable('too many requests for authorization are open')
  return Object.assign(error, { status: 503, statusCode: 503, expose: true })
}

function clientAdapter(clients: ClientDirectory): Adapter {
  return {
    ...nothingKept,
    async find(id) {
      const client = await clients.find(id)
      return client === null ? undefined : client.metadata
    },
  }
}

const nothingKept: Adapter = {
  upsert: async () => {},
  find: async () => undefined,
  findByUid: async () => undefined,
  findByUserCode: async () => undefined,
  consume: async () => {},
  destroy: async () => {},
  revokeByGrantId: async () => {},
}

/** Ids are 256 random bits, or name something public: a fast hash suffices. */
function hashOf(id: string): string {
  return hash('sha256', id, 'base64url')
}

/** A thing without an end would never be swept, so there is none. */
function expiryOf(payload: AdapterPayload, expiresIn: number | undefined, clock: Clock): number {
  const seconds = expiresIn ?? 0
  return payload.exp === undefined ? clock.nowMs() + seconds * 1000 : payload.exp * 1000
}
