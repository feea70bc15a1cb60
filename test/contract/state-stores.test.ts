import { describe, expect, it } from 'vitest'
import type {
  StoredCredential,
  StoredKey,
  StoredPasskey,
  StoredPrincipal,
  StoredSession,
} from '../../src/auth/index.ts'
import type { FunctionVersion } from '../../src/functions/index.ts'
import { sha256 } from '../../src/kernel/index.ts'
import type { ShadowPolicies, StoredPolicySet } from '../../src/policy/index.ts'
import { implementations, opened } from './implementations.ts'

const agent: StoredPrincipal = {
  type: 'agent',
  id: 'demo/analyst',
  name: 'analyst',
  namespace: 'demo',
  groups: ['analysts', 'staff'],
  ownerId: 'anna',
  disabledAtMs: null,
  senderConstrainedOnly: true,
  createdAtMs: 1_780_000_000_000,
  revokedAtMs: null,
}

const key: StoredKey = {
  id: 'k1',
  principalId: agent.id,
  label: 'laptop',
  secretSha256: 'ab'.repeat(32),
  scopes: ['mcp', 'admin'],
  createdAtMs: 1_780_000_000_001,
  expiresAtMs: null,
  revokedAtMs: null,
}

const credential: StoredCredential = {
  id: 'c1',
  kind: 'binding',
  principalId: agent.id,
  label: 'deploy job',
  scopes: ['mcp'],
  details: { issuer: 'https://issuer.example', match: { repository: 'a/b' } },
  createdAtMs: 1_780_000_000_002,
  expiresAtMs: 1_790_000_000_000,
  revokedAtMs: null,
}

const user: StoredPrincipal = { ...agent, type: 'user', id: 'anna', name: 'anna', namespace: null, ownerId: null }

const session: StoredSession = {
  id: 'abcdefghijkl',
  tokenSha256: 'cd'.repeat(32),
  userId: user.id,
  method: 'passkey',
  beganAtMs: 1_780_000_000_000,
  expiresAtMs: 1_780_000_100_000,
  lastUsedAtMs: 1_780_000_000_000,
  endedAtMs: null,
  address: '127.0.0.1',
  claimedName: 'Browser/1.0',
}

function version(code: string, change: Partial<FunctionVersion> = {}): FunctionVersion {
  return {
    namespace: 'demo',
    service: 'leads',
    name: 'search',
    versionHash: sha256(`version ${code}`),
    codeHash: sha256(code),
    runtime: 'python',
    entry: { file: 'search.py', name: 'search' },
    files: new Map([
      ['search.py', Buffer.from(code)],
      ['data/rows.bin', Uint8Array.of(0, 255, 128)],
    ]),
    title: null,
    description: 'Finds leads.',
    inputSchema: { type: 'object', properties: { country: { type: 'string' } } },
    outputSchema: null,
    annotations: { readOnlyHint: true },
    calls: ['leads-top', 'other-tool'],
    labels: ['untrusted-input'],
    limits: {
      wallMs: 10_000,
      cpuMs: 5000,
      memoryBytes: 134_217_728,
      processes: 16,
      openFiles: 64,
      scratchBytes: 1_048_576,
      resultBytes: 1_048_576,
      outputBytes: 65_536,
      innerCalls: 0,
    },
    createdAtMs: 1_780_000_000_000,
    createdBy: 'owner',
    ...change,
  }
}

/** Files compared as text, because a store may give any kind of byte array back. */
function comparable(versions: readonly FunctionVersion[]) {
  return versions.map((stored) => ({
    ...stored,
    files: Object.fromEntries([...stored.files].map(([path, content]) => [path, Buffer.from(content).toString('hex')])),
  }))
}

describe.each(implementations)('the state stores on $name', ({ place }) => {
  it('keep namespaces, sorted, and refuse a name twice', async () => {
    const { namespaces } = await opened(place())
    await namespaces.insert({ name: 'zoo', createdAtMs: 2, createdBy: 'owner' })
    await namespaces.insert({ name: 'demo', createdAtMs: 1, createdBy: 'owner' })
    await expect(namespaces.insert({ name: 'demo', createdAtMs: 3, createdBy: 'thief' })).rejects.toMatchObject({
      code: 'already_exists',
    })
    expect(await namespaces.load()).toEqual([
      { name: 'demo', createdAtMs: 1, createdBy: 'owner' },
      { name: 'zoo', createdAtMs: 2, createdBy: 'owner' },
    ])
  })

  it('let an assertion be used once, also by callers at the same time and over a restart, until it has expired', async () => {
    const where = place()
    const first = await where.open()
    const claims = Array.from({ length: 5 }, () =>
      first.usedAssertions.claim('https://issuer.example', 'a', 2000, 1000),
    )
    expect((await Promise.all(claims)).toSorted()).toEqual([false, false, false, false, true])
    expect(await first.usedAssertions.claim('https://other.example', 'a', 2000, 1000)).toBe(true)
    await first.close()
    const { usedAssertions } = await opened(where)
    expect(await usedAssertions.claim('https://issuer.example', 'a', 2000, 2000)).toBe(false)
    expect(await usedAssertions.claim('https://issuer.example', 'a', 9000, 2001)).toBe(true)
  })

  it('keep principals and keys over a restart', async () => {
    const where = place()
    const first = await where.open()
    await first.credentials.insertPrincipal(agent)
    await first.credentials.insertKey(key)
    await first.credentials.insertCredential(credential)
    await first.close()
    const { credentials } = await opened(where)
    expect(await credentials.load()).toEqual({ principals: [agent], keys: [key], credentials: [credential] })
  })

  it('never give a principal id out twice, revoked or not', async () => {
    const { credentials } = await opened(place())
    await credentials.insertPrincipal(agent)
    await credentials.updatePrincipal(agent.id, { revokedAtMs: 5 })
    await expect(credentials.insertPrincipal(agent)).rejects.toMatchObject({ code: 'already_exists' })
  })

  it('change groups and revocation apart from each other, and keep the first revocation', async () => {
    const { credentials } = await opened(place())
    await credentials.insertPrincipal(agent)
    await credentials.insertKey(key)
    await credentials.updatePrincipal(agent.id, { groups: ['none'] })
    await credentials.updatePrincipal(agent.id, { revokedAtMs: 100 })
    await credentials.updatePrincipal(agent.id, { revokedAtMs: 200 })
    await credentials.revokeKey(key.id, 300)
    await credentials.revokeKey(key.id, 400)
    await credentials.insertCredential(credential)
    await credentials.revokeCredential(credential.id, 500)
    await credentials.revokeCredential(credential.id, 600)
    const { principals, keys, credentials: others } = await credentials.load()
    expect(principals).toEqual([{ ...agent, groups: ['none'], revokedAtMs: 100 }])
    expect(keys).toEqual([{ ...key, revokedAtMs: 300 }])
    expect(others).toEqual([{ ...credential, revokedAtMs: 500 }])
  })

  it('refuse to change what is not there, and keys of nobody', async () => {
    const { credentials } = await opened(place())
    await expect(credentials.updatePrincipal('nobody', { revokedAtMs: 1 })).rejects.toMatchObject({
      code: 'unknown_object',
    })
    await expect(credentials.revokeKey('none', 1)).rejects.toMatchObject({ code: 'unknown_object' })
    await expect(credentials.insertKey(key)).rejects.toMatchObject({ code: 'storage_unavailable' })
  })

  it('keep sessions until they end or are over, and forget them later', async () => {
    const where = place()
    const first = await where.open()
    await first.credentials.insertPrincipal(user)
    const others = ['other', 'third'].map((id, at) => ({ ...session, id, tokenSha256: `${at}e`.repeat(32) }))
    for (const one of [session, ...others]) await first.sessions.insert(one)
    await expect(first.sessions.insert({ ...session, id: 'again' })).rejects.toMatchObject({ code: 'already_exists' })
    await expect(first.sessions.insert({ ...session, tokenSha256: '' })).rejects.toMatchObject({
      code: 'already_exists',
    })
    await first.sessions.touch(session.id, session.beganAtMs + 5)
    await first.sessions.end('other', 7)
    await expect(first.sessions.touch('none', 1)).rejects.toMatchObject({ code: 'unknown_object' })
    await expect(first.sessions.end('none', 1)).rejects.toMatchObject({ code: 'unknown_object' })
    await first.close()
    const { sessions } = await opened(where)
    const touched = { ...session, lastUsedAtMs: session.beganAtMs + 5 }
    expect(await sessions.loadActive(session.beganAtMs)).toEqual([touched, others[1]])
    expect(await sessions.loadActive(session.expiresAtMs)).toEqual([])
    await sessions.forget(session.expiresAtMs + 1)
    expect(await sessions.loadActive(session.beganAtMs)).toEqual([])
    await sessions.insert(session)
  })

  it('keep passkeys, passwords and linked accounts, and count the uses of a passkey upwards only', async () => {
    const where = place()
    const first = await where.open()
    await first.credentials.insertPrincipal(user)
    const passkey: StoredPasskey = {
      id: 'cred-1',
      userId: user.id,
      label: 'laptop',
      publicKey: Uint8Array.of(1, 2, 3),
      counter: 4,
      relyingParty: 'localhost',
      transports: ['internal'],
      backedUp: false,
      createdAtMs: 1,
      lastUsedAtMs: null,
    }
    await first.factors.insertPasskey(passkey)
    await expect(first.factors.insertPasskey(passkey)).rejects.toMatchObject({ code: 'already_exists' })
    const use = (counter: number) => first.factors.usePasskey('cred-1', { counter, backedUp: true, atMs: 9 })
    expect(await Promise.all([use(5), use(5)])).toEqual([true, false])
    expect([await use(4), await use(0), await use(6)]).toEqual([false, false, true])
    await first.factors.insertPasskey({ ...passkey, id: 'cred-2', counter: 0 })
    const uncounted = () => first.factors.usePasskey('cred-2', { counter: 0, backedUp: false, atMs: 9 })
    expect([await uncounted(), await uncounted()]).toEqual([true, true])
    await first.factors.removePasskey('cred-2')
    expect(await uncounted()).toBe(false)
    await first.factors.setPassword({ userId: user.id, hash: 'one', setAtMs: 1 })
    await first.factors.setPassword({ userId: user.id, hash: 'two', setAtMs: 2 })
    const account = { issuer: 'https://a', subject: 's', userId: user.id, rolesFollow: true, linkedAtMs: 3 }
    await first.factors.linkAccount(account)
    await expect(first.factors.linkAccount(account)).rejects.toMatchObject({ code: 'already_exists' })
    await first.close()
    const { factors } = await opened(where)
    expect(await factors.load()).toEqual({
      passkeys: [{ ...passkey, counter: 6, backedUp: true, lastUsedAtMs: 9 }],
      passwords: [{ userId: user.id, hash: 'two', setAtMs: 2 }],
      accounts: [account],
    })
    await factors.removePassword(user.id)
    expect((await factors.load()).passwords).toEqual([])
  })

  it('let a one-time link be used once, in time, and not after a newer one', async () => {
    const { factors, credentials } = await opened(place())
    await credentials.insertPrincipal(user)
    const link = (id: string, userId: string | null) => ({
      id,
      tokenSha256: id,
      userId,
      createdAtMs: 0,
      expiresAtMs: 100,
      usedAtMs: null,
    })
    for (const [id, userId] of [
      ['a', user.id],
      ['b', user.id],
      ['c', null],
      ['d', null],
    ] as const)
      await factors.insertLink(link(id, userId))
    expect((await Promise.all([1, 2, 3].map(() => factors.useLink('a', 50)))).filter((won) => won)).toHaveLength(1)
    expect(await factors.useLink('b', 100)).toBe(false)
    await factors.voidLinks(user.id, 60)
    expect(await factors.useLink('b', 70)).toBe(false)
    expect(await factors.useLink('c', 70)).toBe(true)
    await factors.voidLinks(null, 60)
    expect(await factors.useLink('d', 70)).toBe(false)
    expect(await factors.findLink('a')).toEqual({ ...link('a', user.id), usedAtMs: 50 })
    expect(await factors.findLink('none')).toBeNull()
  })

  it('refuse a session of nobody', async () => {
    const { sessions } = await opened(place())
    await expect(sessions.insert(session)).rejects.toMatchObject({ code: 'storage_unavailable' })
  })

  it('keep closures over a restart, the first of each, and remove them one by one', async () => {
    const where = place()
    const first = await where.open()
    const closure = (namespace: string | null, reason: string) => ({
      namespace,
      closedAtMs: 1_780_000_000_000,
      closedBy: 'anna',
      reason,
    })
    await first.closures.insert(closure('demo', 'leak'))
    await first.closures.insert(closure('demo', 'a later one'))
    await first.closures.insert(closure(null, 'everything'))
    await first.closures.insert(closure('other', 'too'))
    await first.closures.remove('other')
    await first.closures.remove('never closed')
    await first.close()
    const { closures } = await opened(where)
    expect(await closures.load()).toEqual([closure(null, 'everything'), closure('demo', 'leak')])
    await closures.remove(null)
    expect(await closures.load()).toEqual([closure('demo', 'leak')])
  })

  it('add up use by day over a restart, up to the largest exact number, and forget days', async () => {
    const where = place()
    const first = await where.open()
    const used = (id: string, calls: number, bytesIn: number) => ({ kind: 'agent' as const, id, calls, bytesIn })
    await first.usage.add('2026-11-20', [used('demo/a', 9, 9)])
    await first.usage.add('2026-11-21', [used('demo/a', 1, 10), { ...used('demo', 2, 3), kind: 'namespace' }])
    await first.usage.add('2026-11-21', [used('demo/a', 2, Number.MAX_SAFE_INTEGER)])
    await first.usage.add('2026-11-21', [])
    await first.close()
    const { usage } = await opened(where)
    expect(await usage.load('2026-11-21')).toEqual([
      used('demo/a', 3, Number.MAX_SAFE_INTEGER),
      { ...used('demo', 2, 3), kind: 'namespace' },
    ])
    await usage.forgetBefore('2026-11-21')
    expect(await usage.load('2026-11-20')).toEqual([])
    expect(await usage.load('2026-11-21')).toHaveLength(2)
  })

  it('keep counters of use as they are put last, find those of a key, and forget days', async () => {
    const where = place()
    const first = await where.open()
    const counter = (principal: string, target: string | null, day: number, calls: number) => {
      const minute: [number, number][] = [[1_780_000_000, calls]]
      const bytesOut = Number.MAX_SAFE_INTEGER
      return { namespace: 'demo', principal, target, day, calls, bytesOut, spend: 7, minute, throughIndex: calls }
    }
    const old = counter('demo/old', null, 20_000, 1)
    const many = Array.from({ length: 1500 }, (_, at) => counter('demo/a', `Tool t${at}`, 20_001, at))
    const mark = { namespace: 'demo', throughIndex: 5, atMs: 1_780_000_000_000 }
    await first.usageCounters.save([old, counter('demo/a', null, 20_001, 1), ...many], [mark])
    await first.usageCounters.save([counter('demo/a', null, 20_001, 2)], [{ ...mark, throughIndex: 9 }])
    await first.usageCounters.save([], [])
    await first.close()
    const { usageCounters } = await opened(where)
    expect(await usageCounters.marks()).toEqual([{ ...mark, throughIndex: 9 }])
    expect(await usageCounters.find({ namespace: 'demo', principal: 'demo/a', target: 'Tool t7' })).toEqual([
      counter('demo/a', null, 20_001, 2),
      counter('demo/a', 'Tool t7', 20_001, 7),
    ])
    expect(await usageCounters.find({ namespace: 'other', principal: 'demo/a', target: 'Tool t7' })).toEqual([])
    expect(await usageCounters.load(20_001, 10_000)).toHaveLength(1501)
    expect(await usageCounters.load(20_000, 3)).toHaveLength(3)
    await usageCounters.forgetBefore(20_001)
    expect(await usageCounters.load(0, 10_000)).toHaveLength(1501)
  })

  it('keep runs with their labels over a restart, the latest of each principal, and forget old ones', async () => {
    const where = place()
    const first = await where.open()
    const run = (principal: string, id: string, lastUsedMs: number) => ({
      namespace: 'demo',
      principal,
      id,
      labels: ['personal-data', 'untrusted-input'],
      lastUsedMs,
    })
    await first.runs.save([run('demo/a', 'r1', 1000), run('demo/b', 'r2', 2000)])
    await first.runs.save([run('demo/a', 'r3', 3000)])
    await first.runs.save([])
    await first.close()
    const { runs } = await opened(where)
    expect(await runs.load()).toEqual([run('demo/a', 'r3', 3000), run('demo/b', 'r2', 2000)])
    await runs.forgetBefore(2000.5)
    expect(await runs.load()).toHaveLength(2)
    await runs.forgetBefore(2001)
    expect(await runs.load()).toEqual([run('demo/a', 'r3', 3000)])
  })

  it('keep the latest use of each credential over a restart, many at once', async () => {
    const where = place()
    const first = await where.open()
    const many = new Map(Array.from({ length: 2500 }, (_, index) => [`c${index}`, 1000 + index]))
    await first.credentialUses.write(many)
    await first.credentialUses.write(
      new Map([
        ['c0', 5000],
        ['c1', 1],
      ]),
    )
    await first.credentialUses.write(new Map())
    await first.close()
    const { credentialUses } = await opened(where)
    expect(await credentialUses.load()).toEqual(new Map([...many, ['c0', 5000]]))
  })

  it('keep function versions with their files, and give the active ones', async () => {
    const where = place()
    const first = await where.open()
    const [old, current] = [
      version('one'),
      version('two', { createdAtMs: 1_780_000_000_500, outputSchema: { type: 'array' }, title: 'Search' }),
    ]
    const other = version('count', { name: 'count', versionHash: sha256('count') })
    await first.functions.activate([old, other])
    await first.functions.activate([current])
    await first.close()
    const { functions } = await opened(where)
    expect(comparable(await functions.loadActive())).toEqual(comparable([other, current]))
    expect(await functions.listVersions('demo', 'leads', 'search')).toEqual([
      { versionHash: current.versionHash, createdAtMs: current.createdAtMs, createdBy: 'owner', active: true },
      { versionHash: old.versionHash, createdAtMs: old.createdAtMs, createdBy: 'owner', active: false },
    ])
    const found = await functions.findVersion('demo', 'leads', 'search', old.versionHash)
    expect(comparable(found === null ? [] : [found])).toEqual(comparable([old]))
    expect(await functions.findVersion('demo', 'leads', 'count', old.versionHash)).toBeNull()
  })

  it('never change a stored version: activating it again only moves the pointer', async () => {
    const { functions } = await opened(place())
    const [one, two] = [version('one'), version('two')]
    await functions.activate([one])
    await functions.activate([two])
    await functions.activate([{ ...one, createdBy: 'somebody else', createdAtMs: 9 }])
    expect(comparable(await functions.loadActive())).toEqual(comparable([one]))
  })

  it('take a function out of the catalogue and keep its versions', async () => {
    const { functions } = await opened(place())
    await functions.activate([version('one')])
    expect(await functions.deactivate('demo', 'leads', 'search')).toBe(true)
    expect(await functions.deactivate('demo', 'leads', 'search')).toBe(false)
    expect(await functions.loadActive()).toEqual([])
    expect(await functions.listVersions('demo', 'leads', 'search')).toMatchObject([{ active: false }])
  })

  it('activate all versions or none', async () => {
    const { functions } = await opened(place())
    const broken = { ...version('two', { name: 'count' }), description: undefined } as unknown as FunctionVersion
    await expect(functions.activate([version('one'), broken])).rejects.toMatchObject({ code: 'storage_unavailable' })
    expect(await functions.loadActive()).toEqual([])
    expect(await functions.listVersions('demo', 'leads', 'search')).toEqual([])
  })

  it('keep policy sets, their activations and why', async () => {
    const where = place()
    const first = await where.open()
    const set = (text: string, at: number, comment: string, namespace = 'demo'): StoredPolicySet => ({
      namespace,
      policySetHash: sha256(text),
      sources: [{ file: 'leads.cedar', text }],
      activatedAtMs: at,
      activatedBy: 'owner',
      comment,
    })
    expect(await first.policies.loadActive()).toEqual([])
    await first.policies.activate(set('one', 1, 'start'))
    await first.policies.activate(set('two', 2, 'tighter'))
    await first.policies.activate(set('one', 3, 'back'))
    await first.policies.activate(set('other', 4, '', 'other'))
    await first.close()
    const { policies } = await opened(where)
    expect(await policies.loadActive()).toEqual([set('one', 3, 'back'), set('other', 4, '', 'other')])
    expect(await policies.find('demo', sha256('two'))).toEqual(set('two', 2, 'tighter'))
    expect(await policies.find('demo', sha256('one'))).toEqual(set('one', 3, 'back'))
    expect(await policies.find('other', sha256('one'))).toBeNull()
    const activations = await policies.listActivations('demo')
    expect(activations.map(({ comment, active }) => ({ comment, active }))).toEqual([
      { comment: 'back', active: true },
      { comment: 'tighter', active: false },
      { comment: 'start', active: false },
    ])
  })

  it('keep one set of shadow policies for each namespace until it is removed', async () => {
    const where = place()
    const shadow = (namespace: string, name: string): ShadowPolicies => ({
      namespace,
      policySetHash: sha256(name),
      sources: [{ file: 'a.cedar', text: name }],
      setAtMs: 1_780_000_000_000,
      setBy: 'operator',
      comment: name,
    })
    const first = await where.open()
    expect(await first.shadows.load()).toEqual([])
    await first.shadows.put(shadow('demo', 'one'))
    await first.shadows.put(shadow('other', 'one'))
    await first.shadows.put(shadow('demo', 'two'))
    await first.close()
    const { shadows } = await opened(where)
    expect(await shadows.load()).toEqual([shadow('demo', 'two'), shadow('other', 'one')])
    await shadows.remove('demo')
    await shadows.remove('demo')
    expect(await shadows.load()).toEqual([shadow('other', 'one')])
  })

  it('keep what each namespace says about its records', async () => {
    const where = place()
    const first = await where.open()
    expect(await first.recordings.load()).toEqual([])
    const demo = { namespace: 'demo', level: 'metadata', bodyDays: 30, recordDays: 'forever' } as const
    const other = { namespace: 'other', level: null, bodyDays: null, recordDays: 400 } as const
    await first.recordings.put({ ...demo, bodyDays: 7 })
    await first.recordings.put(other)
    await first.recordings.put(demo)
    await first.close()
    const { recordings } = await opened(where)
    expect(await recordings.load()).toEqual([demo, other])
  })

  it('serve many writers at once', async () => {
    const { namespaces, functions } = await opened(place())
    const names = Array.from({ length: 20 }, (_, position) => `space-${String(position).padStart(2, '0')}`)
    await Promise.all([
      ...names.map((name) => namespaces.insert({ name, createdAtMs: 1, createdBy: 'owner' })),
      ...names.map((service) => functions.activate([version('one', { service })])),
    ])
    expect((await namespaces.load()).map(({ name }) => name)).toEqual(names)
    expect((await functions.loadActive()).map(({ service }) => service)).toEqual(names)
  })
})
