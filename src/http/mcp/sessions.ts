import { randomBytes } from 'node:crypto'
import type { Caller, Clock, JsonObject } from '../../kernel/index.ts'
import type { RequestId } from './read-message.ts'

/** What a 2025-era client told at `initialize`, kept between its requests. Authorises nothing by itself. */
export interface Session {
  readonly id: string
  /** As it was when the session began. */
  readonly opener: Caller
  readonly namespace: string
  readonly protocolVersion: string
  readonly clientCapabilities: JsonObject
  readonly clientInfo: JsonObject
  /** Least severe level that the client wants to see. */
  logLevel: string
  /** Requests sent to the client and not answered yet, by the id they were sent under. */
  readonly waiting: Map<RequestId, (response: JsonObject) => void>
  /** Requests of the client being worked on, by their id: what `notifications/cancelled` stops. */
  readonly running: Map<RequestId, () => void>
}

/** Sessions of 2025-era clients. */
export interface Sessions {
  open(
    caller: Caller,
    namespace: string,
    client: Pick<Session, 'protocolVersion' | 'clientCapabilities' | 'clientInfo'>,
  ): Session
  /** The session, only for the principal, credential and namespace that opened it. */
  find(id: string, caller: Caller, namespace: string): Session | null
  close(session: Session): void
  /** Ends every session that matches, with what runs in it. */
  closeWhere(matches: (session: Session) => boolean): void
  readonly size: number
}

/**
 * Keeps sessions in memory, least recently used first. Ids are 256 random bits. A session that is not the caller's
 * is answered as one that never was.
 */
export function createSessions(options: {
  readonly maxSessions: number
  readonly maxPerCredential: number
  readonly idleSeconds: number
  readonly clock: Clock
}): Sessions {
  const { maxSessions, maxPerCredential, idleSeconds, clock } = options
  const byId = new Map<string, { session: Session; usedAtMs: number }>()
  const remove = (session: Session): void => {
    byId.delete(session.id)
    session.waiting.clear()
    for (const stop of session.running.values()) stop()
  }
  const dropIdle = (): void => {
    const before = clock.monotonicMs() - idleSeconds * 1000
    for (const { session, usedAtMs } of byId.values()) {
      if (usedAtMs > before) return
      remove(session)
    }
  }
  const dropOldest = (matches: (session: Session) => boolean): void => {
    for (const { session } of byId.values()) {
      if (matches(session)) return remove(session)
    }
  }
  return {
    open(caller, namespace, client) {
      dropIdle()
      const credentialId = caller.authentication.credentialId
      let ofCredential = 0
      for (const { session } of byId.values()) if (credentialOf(session) === credentialId) ofCredential += 1
      if (ofCredential >= maxPerCredential) dropOldest((session) => credentialOf(session) === credentialId)
      if (byId.size >= maxSessions) dropOldest(() => true)
      const session: Session = {
        id: randomBytes(32).toString('base64url'),
        opener: caller,
        namespace,
        ...client,
        logLevel: 'info',
        waiting: new Map(),
        running: new Map(),
      }
      byId.set(session.id, { session, usedAtMs: clock.monotonicMs() })
      return session
    },
    find(id, caller, namespace) {
      dropIdle()
      const entry = byId.get(id)
      if (entry === undefined) return null
      const { session } = entry
      if (session.opener.principal.id !== caller.principal.id) return null
      if (credentialOf(session) !== caller.authentication.credentialId) return null
      if (session.namespace !== namespace) return null
      byId.delete(id)
      byId.set(id, { session, usedAtMs: clock.monotonicMs() })
      return session
    },
    close: remove,
    closeWhere(matches) {
      for (const { session } of byId.values()) if (matches(session)) remove(session)
    },
    get size() {
      return byId.size
    },
  }
}

function credentialOf({ opener }: Session): string {
  return opener.authentication.credentialId
}
