import { beforeEach, describe, expect, it } from 'vitest'
import { verifies } from '../../../test/conformance/requirements.ts'
import type { Caller, Clock } from '../../kernel/index.ts'
import { createSessions, type Session, type Sessions } from './sessions.ts'

function caller(name: string, credentialId = `key-of-${name}`): Caller {
  return {
    principal: { type: 'agent', id: `demo/${name}`, name, namespace: 'demo', groups: [] },
    authentication: { method: 'api-key', credentialId, senderConstrained: false, expiresAtMs: null, scopes: ['mcp'] },
    client: { address: '127.0.0.1', claimedName: null },
  }
}

let nowMs: number
let sessions: Sessions
const clock: Clock = { nowMs: () => nowMs, monotonicMs: () => nowMs }
const [alice, bob] = [caller('alice'), caller('bob')]
const client = { protocolVersion: '2025-11-25', clientCapabilities: {}, clientInfo: {} }
const open = (who: Caller): Session => sessions.open(who, 'demo', client)

beforeEach(() => {
  nowMs = 1000
  sessions = createSessions({ maxSessions: 5, maxPerCredential: 3, idleSeconds: 60, clock })
})

describe('a session', () => {
  it('is found by whoever opened it', () => {
    const session = open(alice)
    expect(sessions.find(session.id, alice, 'demo')).toBe(session)
  })

  it(verifies('legacy-session', 'does not exist for another principal, credential or namespace'), () => {
    const { id } = open(alice)
    expect(sessions.find(id, bob, 'demo')).toBeNull()
    expect(sessions.find(id, caller('alice', 'second-key'), 'demo')).toBeNull()
    expect(sessions.find(id, caller('bob', 'key-of-alice'), 'demo')).toBeNull()
    expect(sessions.find(id, alice, 'other')).toBeNull()
  })

  it('has an id of 256 random bits in visible characters', () => {
    const ids = Array.from({ length: 3 }, () => open(alice).id)
    expect(new Set(ids).size).toBe(3)
    for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9_-]{43}$/)
  })

  it('ends when it was idle too long, and lives on while it is used', () => {
    const [used, idle] = [open(alice), open(alice)]
    nowMs += 40_000
    expect(sessions.find(used.id, alice, 'demo')).toBe(used)
    nowMs += 40_000
    expect(sessions.find(used.id, alice, 'demo')).toBe(used)
    expect(sessions.find(idle.id, alice, 'demo')).toBeNull()
  })

  it('gives way to a newer one of the same credential, never to make room for strangers first', () => {
    const own = Array.from({ length: 4 }, () => open(alice))
    expect(own.map(({ id }) => sessions.find(id, alice, 'demo') !== null)).toEqual([false, true, true, true])
    const others = Array.from({ length: 3 }, () => open(bob))
    expect(sessions.size).toBe(5)
    expect(others.every(({ id }) => sessions.find(id, bob, 'demo') !== null)).toBe(true)
  })

  it('stops what runs in it when it ends', () => {
    const session = open(alice)
    let stopped = 0
    session.running.set(1, () => (stopped += 1))
    sessions.close(session)
    expect([stopped, sessions.find(session.id, alice, 'demo')]).toEqual([1, null])
  })
})
