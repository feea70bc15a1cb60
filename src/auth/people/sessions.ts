import { hash, randomBytes } from 'node:crypto'
import type { Clock } from '../../kernel/index.ts'
import type { IdentityEvents } from '../identity-events.ts'
import type { IdentityRegistry } from '../identity-registry.ts'
import { randomId } from '../random-id.ts'
import type { PeopleConfig } from './config.ts'
import type { SessionStore, SignInMethod, StoredSession } from './session-store.ts'

/** What is told of a session: never its token or the hash of it. */
export type SessionSummary = Omit<StoredSession, 'tokenSha256'>

/** What a session begins with. */
export interface SessionRequest {
  readonly userId: string
  readonly method: SignInMethod
  readonly address: string
  readonly claimedName: string | null
}

/** Sessions of people in browsers. Answers from memory; every beginning and end is durable before it counts. */
export interface Sessions {
  /**
   * The session of a token if it is good at this moment: not ended, within both limits, and of a user who is neither
   * revoked nor disabled. Counts as a use of the session.
   */
  find(token: string): SessionSummary | null
  /** The same by the session's public id, which proves nothing. Does not count as a use. */
  findById(id: string): SessionSummary | null
  list(userId: string): SessionSummary[]
  /** The answer's `token` is the only copy. @throws McpworksError `audit_unavailable`, `storage_unavailable` */
  begin(request: SessionRequest): Promise<{ token: string; session: SessionSummary }>
  /** Nothing happens where the user has no such session. @throws McpworksError `audit_unavailable` */
  end(userId: string, sessionId: string, why: string, address: string): Promise<void>
  /** Ends all sessions of a user but one. @throws McpworksError `audit_unavailable` */
  endAll(userId: string, why: string, address: string, but?: string): Promise<void>
}

/** What sessions stand on. */
export interface SessionPorts {
  readonly store: SessionStore
  readonly registry: Pick<IdentityRegistry, 'findActivePrincipal'>
  readonly events: Pick<IdentityEvents, 'record'>
  readonly clock: Clock
  readonly config: Pick<PeopleConfig, 'sessionSeconds' | 'sessionIdleSeconds'>
}

/** A use is stored when the one that is stored is this old. */
const touchEveryMs = 60_000

/** Sessions that one user can have; the longest unused makes room for a new one. */
const maxPerUser = 50

const keptAfterMs = 30 * 86_400_000

/** Loads the sessions that are still good and forgets those that ended long ago. */
export async function createSessions({ store, registry, events, clock, config }: SessionPorts): Promise<Sessions> {
  await store.forget(clock.nowMs() - keptAfterMs)
  const sessions = new Map((await store.loadActive(clock.nowMs())).map((session) => [session.id, session]))
  const byToken = new Map([...sessions.values()].map(({ tokenSha256, id }) => [tokenSha256, id]))
  const stored = new Map([...sessions.values()].map(({ id, lastUsedAtMs }) => [id, lastUsedAtMs]))

  /** Leaves the store alone: a session that is over there too, or is about to be. */
  function abort(id: string): void {
    const session = sessions.get(id)
    sessions.delete(id)
    stored.delete(id)
    if (session !== undefined) byToken.delete(session.tokenSha256)
  }

  function good(id: string | undefined): StoredSession | null {
    const session = id === undefined ? undefined : sessions.get(id)
    if (session === undefined) return null
    const nowMs = clock.nowMs()
    if (nowMs >= session.expiresAtMs || nowMs >= session.lastUsedAtMs + config.sessionIdleSeconds * 1000) {
      abort(session.id)
      return null
    }
    return registry.findActivePrincipal(session.userId)?.type === 'user' ? session : null
  }

  async function touch(id: string, nowMs: number): Promise<void> {
    if (nowMs - (stored.get(id) ?? 0) < touchEveryMs) return
    stored.set(id, nowMs)
    await store.touch(id, nowMs)
  }

  function ofUser(userId: string): StoredSession[] {
    return [...sessions.values()].filter((session) => session.userId === userId && good(session.id) !== null)
  }

  async function end(session: StoredSession, why: string, address: string): Promise<void> {
    await events.record({
      type: 'session-ended',
      namespace: null,
      principalId: session.userId,
      credentialId: session.id,
      address,
      facts: { why },
    })
    await store.end(session.id, clock.nowMs())
    abort(session.id)
  }

  return {
    find(token) {
      const session = good(byToken.get(hashToken(token)))
      if (session === null) return null
      const used = { ...session, lastUsedAtMs: clock.nowMs() }
      sessions.set(session.id, used)
      // A use that cannot be stored would be forgotten at the next start: the session is given up.
      touch(session.id, used.lastUsedAtMs).catch(() => abort(session.id))
      return summaryOf(used)
    },
    findById(id) {
      const session = good(id)
      return session === null ? null : summaryOf(session)
    },
    list: (userId) => ofUser(userId).map(summaryOf),
    async begin({ userId, method, address, claimedName }) {
      const [longestUnused] = ofUser(userId).sort((left, right) => left.lastUsedAtMs - right.lastUsedAtMs)
      if (longestUnused !== undefined && ofUser(userId).length >= maxPerUser)
        await end(longestUnused, 'made room for another', address)
      const token = randomBytes(32).toString('base64url')
      const nowMs = clock.nowMs()
      const session: StoredSession = {
        id: randomId(),
        tokenSha256: hashToken(token),
        userId,
        method,
        beganAtMs: nowMs,
        expiresAtMs: nowMs + config.sessionSeconds * 1000,
        lastUsedAtMs: nowMs,
        endedAtMs: null,
        address,
        claimedName: claimedName?.slice(0, 200).toWellFormed() ?? null,
      }
      await events.record({
        type: 'session-begun',
        namespace: null,
        principalId: userId,
        credentialId: session.id,
        address,
        facts: { method, expires_ms: session.expiresAtMs },
      })
      await store.insert(session)
      sessions.set(session.id, session)
      byToken.set(session.tokenSha256, session.id)
      stored.set(session.id, nowMs)
      return { token, session: summaryOf(session) }
    },
    async end(userId, sessionId, why, address) {
      const session = sessions.get(sessionId)
      if (session !== undefined && session.userId === userId) await end(session, why, address)
    },
    async endAll(userId, why, address, but) {
      // Also those of a user who is disabled already: they must not come back with them.
      for (const session of Array.from(sessions.values()))
        if (session.userId === userId && session.id !== but) await end(session, why, address)
    },
  }
}

/** SHA-256 in hex: a fast hash suffices for 256 random bits. */
function hashToken(token: string): string {
  return hash('sha256', token, 'hex')
}

function summaryOf(session: StoredSession): SessionSummary {
  const { tokenSha256: _, ...summary } = session
  return summary
}
