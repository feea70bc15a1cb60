import { describe, expect, it } from 'vitest'
import type { FunctionVersion } from '../../src/functions/index.ts'
import { sha256 } from '../../src/kernel/index.ts'
import { implementations, opened } from './implementations.ts'

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

describe.each(implementations)('the stores of namespaces and functions on $name', ({ place }) => {
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
