import { beforeEach, describe, expect, it } from 'vitest'
import { McpworksError, type Clock } from '../../kernel/index.ts'
import type { IdentityEvent } from '../identity-events.ts'
import type { SessionStore, StoredSession } from './session-store.ts'
import { createSessions, type Sessions } from './sessions.ts'
import { createSignIn } from './sign-in.ts'

/** A store that remembers, so that a second look at it sees what was written. */
function memoryStore(): SessionStore & { rows: Map<string, StoredSession> } {
  const rows = new Map<string, StoredSession>()
  const change = async (id: string, part: Partial<StoredSession>): Promise<void> => {
    const row = rows.get(id)
    if (row === undefined) throw new McpworksError('unknown_object')
    rows.set(id, { ...row, ...part })
  }
  return {
    rows,
    loadActive: async (nowMs) => [...rows.values()].filter((row) => row.endedAtMs === null && row.expiresAtMs > nowMs),
    insert: async (session) => void rows.set(session.id, session),
    touch: (id, lastUsedAtMs) => change(id, { lastUsedAtMs }),
    end: (id, endedAtMs) => change(id, { endedAtMs }),
    forget: async () => {},
  }
}

const user = {
  type: 'user',
  id: 'anna',
  name: 'anna',
  namespace: null,
  groups: [],
  ownerId: null,
  disabledAtMs: null,
  senderConstrainedOnly: false,
  createdAtMs: 0,
  revokedAtMs: null,
} as const

let nowMs: number
let isActive: boolean
let recorded: IdentityEvent[]
let store: ReturnType<typeof memoryStore>
let sessions: Sessions
const clock: Clock = { nowMs: () => nowMs, monotonicMs: () => nowMs }
const open = (): Promise<Sessions> =>
  createSessions({
    store,
    registry: { findActivePrincipal: (id) => (isActive && id === 'anna' ? user : null) },
    events: { record: async (event) => void recorded.push(event) },
    clock,
    config: { sessionSeconds: 3600, sessionIdleSeconds: 600 },
  })
const begin = async () =>
  await sessions.begin({ userId: 'anna', method: 'passkey', address: '127.0.0.1', claimedName: 'b' })

beforeEach(async () => {
  nowMs = 1_800_000_000_000
  isActive = true
  recorded = []
  store = memoryStore()
  sessions = await open()
})

describe('sessions', () => {
  it('are found by their token and kept without it', async () => {
    const { token, session } = await begin()
    expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/)
    expect(sessions.find(token)).toMatchObject({ id: session.id, userId: 'anna' })
    expect(sessions.find(session.id)).toBeNull()
    expect(JSON.stringify([...store.rows.values(), recorded])).not.toContain(token)
    expect(JSON.stringify(sessions.list('anna'))).not.toMatch(/[0-9a-f]{64}/)
  })

  it('end when they were not used for the idle limit, and not before', async () => {
    const { token } = await begin()
    nowMs += 599_999
    expect(sessions.find(token)).not.toBeNull()
    nowMs += 599_999
    expect(sessions.find(token)).not.toBeNull()
    nowMs += 600_000
    expect(sessions.find(token)).toBeNull()
    nowMs -= 600_000
    expect(sessions.find(token)).toBeNull()
  })

  it('end at the absolute limit, however much they are used', async () => {
    const { token } = await begin()
    for (let minute = 0; minute < 59; minute += 1) {
      nowMs += 60_000
      expect(sessions.find(token)).not.toBeNull()
    }
    nowMs += 60_000
    expect(sessions.find(token)).toBeNull()
  })

  it('are good after a restart, with their use kept to a minute', async () => {
    const { token } = await begin()
    nowMs += 61_000
    sessions.find(token)
    await expect.poll(() => [...store.rows.values()][0]?.lastUsedAtMs).toBe(nowMs)
    sessions = await open()
    nowMs += 599_000
    expect(sessions.find(token)).not.toBeNull()
  })

  it('are not good while their user is disabled', async () => {
    const { token, session } = await begin()
    isActive = false
    expect(sessions.find(token)).toBeNull()
    expect(sessions.findById(session.id)).toBeNull()
    await sessions.endAll('anna', 'the user was disabled', '')
    isActive = true
    expect(sessions.find(token)).toBeNull()
    sessions = await open()
    expect(sessions.find(token)).toBeNull()
  })

  it('are ended by their own user only, and at once', async () => {
    const [mine, other] = [await begin(), await begin()]
    await sessions.end('bert', mine.session.id, 'forged', '')
    expect(sessions.find(mine.token)).not.toBeNull()
    await sessions.end('anna', mine.session.id, 'signed out', '')
    expect(sessions.find(mine.token)).toBeNull()
    expect(sessions.find(other.token)).not.toBeNull()
    await sessions.endAll('anna', 'all', '', other.session.id)
    expect(sessions.find(other.token)).not.toBeNull()
  })

  it('do not begin where that cannot be recorded', async () => {
    sessions = await createSessions({
      store,
      registry: { findActivePrincipal: () => user },
      events: {
        record: async () => {
          throw new McpworksError('audit_unavailable')
        },
      },
      clock,
      config: { sessionSeconds: 3600, sessionIdleSeconds: 600 },
    })
    await expect(begin()).rejects.toMatchObject({ code: 'audit_unavailable' })
    expect(store.rows.size).toBe(0)
  })

  it('are fifty for one user at most: the longest unused makes room', async () => {
    const first = await begin()
    for (let at = 0; at < 50; at += 1) {
      nowMs += 1
      await begin()
    }
    expect(sessions.list('anna')).toHaveLength(50)
    expect(sessions.find(first.token)).toBeNull()
    expect(recorded.map(({ type }) => type)).toContain('session-ended')
  })
})

describe('who is signed in', () => {
  const local = 'http://127.0.0.1:7433'

  it('is told by the cookie of this server and no other', async () => {
    const signIn = createSignIn(sessions)
    const { token, session } = await begin()
    expect(signIn.personOf(`a=b; mcpworks-session-7433=${token}`, local)).toMatchObject({
      userId: 'anna',
      sessionId: session.id,
      authenticatedAtMs: nowMs,
    })
    expect(signIn.personOf(`mcpworks-session-7434=${token}`, local)).toBeNull()
    expect(signIn.personOf(`mcpworks-session-7433=${token}`, 'https://mcp.example.org')).toBeNull()
    expect(signIn.personOf(`__Host-mcpworks-session=${token}`, 'https://mcp.example.org')).not.toBeNull()
    expect(signIn.personOf(undefined, local)).toBeNull()
  })

  it('is nobody where the cookie comes twice', async () => {
    const signIn = createSignIn(sessions)
    const [{ token }, { token: other }] = [await begin(), await begin()]
    expect(signIn.personOf(`mcpworks-session-7433=${token}; mcpworks-session-7433=${other}`, local)).toBeNull()
  })

  it('has a token against forged requests that belongs to the session', async () => {
    const signIn = createSignIn(sessions)
    const [{ token }, { token: other }] = [await begin(), await begin()]
    const [mine, theirs] = [token, other].map((one) => signIn.personOf(`mcpworks-session-7433=${one}`, local))
    expect(mine?.csrf).not.toContain(token)
    if (mine === undefined || mine === null) throw new Error('not signed in')
    expect(signIn.csrfMatches(mine, mine.csrf)).toBe(true)
    for (const wrong of [theirs?.csrf, '', null, undefined, `${mine.csrf}x`])
      expect(signIn.csrfMatches(mine, wrong)).toBe(false)
  })
})
