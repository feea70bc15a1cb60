import { hash, randomBytes } from 'node:crypto'
import type { Clock } from '../../kernel/index.ts'
import type { IdentityEvents } from '../identity-events.ts'
import { randomId } from '../random-id.ts'
import { browserOrigin } from './browser-origin.ts'
import type { PeopleConfig } from './config.ts'
import type { FactorStore, StoredLink } from './factor-store.ts'

/** Links that let one person set a passkey or password, once. */
export interface OneTimeLinks {
  /**
   * Makes a link for a user, or (`null`) for whoever sets up the first owner. Links made for the same user before are
   * worth nothing from then on. The answer's `token` is the only copy.
   * @throws McpworksError `audit_unavailable`, `storage_unavailable`
   */
  make(userId: string | null, by: string): Promise<{ token: string; expiresAtMs: number }>
  /** The link of a token that is good at this moment; `null` otherwise. Uses nothing up. */
  find(token: string): Promise<StoredLink | null>
  /** True for exactly one caller. */
  use(link: StoredLink): Promise<boolean>
}

/** What links stand on. */
export interface LinkPorts {
  readonly store: FactorStore
  readonly events: Pick<IdentityEvents, 'record'>
  readonly clock: Clock
  readonly config: Pick<PeopleConfig, 'linkSeconds'>
}

/** Makes them over the store. Nothing is kept in memory: links are rare. */
export function createOneTimeLinks({ store, events, clock, config }: LinkPorts): OneTimeLinks {
  return {
    async make(userId, by) {
      const token = randomBytes(32).toString('base64url')
      const createdAtMs = clock.nowMs()
      const link: StoredLink = {
        id: randomId(),
        tokenSha256: hash('sha256', token, 'hex'),
        userId,
        createdAtMs,
        expiresAtMs: createdAtMs + config.linkSeconds * 1000,
        usedAtMs: null,
      }
      await events.record({
        type: 'link-made',
        namespace: null,
        principalId: userId,
        credentialId: link.id,
        address: '',
        facts: { by, expires_ms: link.expiresAtMs },
      })
      await store.voidLinks(userId, createdAtMs)
      await store.insertLink(link)
      return { token, expiresAtMs: link.expiresAtMs }
    },
    async find(token) {
      const link = await store.findLink(hash('sha256', token, 'hex'))
      return link !== null && link.usedAtMs === null && link.expiresAtMs > clock.nowMs() ? link : null
    },
    use: ({ id }) => store.useLink(id, clock.nowMs()),
  }
}

/** The address of a link, for the person who is to open it. Holds the token. */
export function linkUrl(publicUrl: string, token: string): string {
  return `${browserOrigin(publicUrl).origin}/sign-in/link/${token}`
}
