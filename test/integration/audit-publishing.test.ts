import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { MemoryTrees } from '../support/memory-trees.ts'
import { objectStore, publish, rootOfNote, rootOfTiles, withLog } from '../support/published-trees.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

describe('a directory to which the log is published', () => {
  it('has, after each look, the newest checkpoint and the tiles under it', async () => {
    const trees = new MemoryTrees()
    const directory = temporaryDirectory()
    const { look, states } = publish(trees, { directory })
    for (const count of [3, 300, 1, 452]) {
      const note = trees.grow('demo', count)
      await look()
      const at = join(directory, 'demo', '2026-11')
      expect(readFileSync(join(at, 'checkpoint'), 'utf8')).toBe(note)
      const size = Number(note.split('\n')[1])
      expect(rootOfTiles((path) => readFileSync(join(at, path)), size)).toBe(rootOfNote(note))
    }
    expect(readdirSync(join(directory, 'demo', '2026-11', 'tile', '1', '000.p')).toSorted()).toEqual(['1', '2'])
    expect(readdirSync(join(directory, 'demo', '2026-11')).toSorted()).toEqual(['checkpoint', 'tile'])
    expect(states()).toMatchObject([{ name: 'directory', status: 'ok', problem: null }])
  })

  it('goes on after a restart where it was, and writes nothing twice', async () => {
    const trees = new MemoryTrees()
    const directory = temporaryDirectory()
    trees.grow('demo', 300)
    const first = publish(trees, { directory })
    await first.look()
    await first.close()
    const before = readdirSync(join(directory, 'demo/2026-11/tile/0'))
    const second = publish(trees, { directory })
    await second.look()
    expect(readdirSync(join(directory, 'demo/2026-11/tile/0'))).toEqual(before)
    trees.grow('demo', 1)
    await second.look()
    expect(second.states()).toMatchObject([{ status: 'ok' }])
    expect(readdirSync(join(directory, 'demo/2026-11/tile/0/001.p')).toSorted()).toEqual(['44', '45'])
  })

  it.each([
    [
      'a log that was put back',
      (trees: MemoryTrees) => trees.backup('demo', 200),
      /covers 300 records, and 200 are signed/,
    ],
    [
      'a log that was put back and went another way',
      (trees: MemoryTrees) => {
        const forked = trees.backup('demo', 200)
        forked.grow('demo', 150, 'other')
        return forked
      },
      /signed over other records/,
    ],
    ['another log under its name', () => withLog('demo', 400), /signed over other records/],
  ])('shows %s, and is left as it was', async (_what, changed, says) => {
    const trees = new MemoryTrees()
    const directory = temporaryDirectory()
    const note = trees.grow('demo', 300)
    await publish(trees, { directory }).look()
    const { look, conflicts, state } = publish(changed(trees), { directory })
    await look()
    expect(conflicts).toMatchObject([
      { where: 'directory', tree: { namespace: 'demo', period: '2026-11' }, theirs: note },
    ])
    expect(conflicts[0]?.problem).toMatch(says)
    expect(state('directory')).toMatchObject({ status: 'conflict' })
    expect(readFileSync(join(directory, 'demo/2026-11/checkpoint'), 'utf8')).toBe(note)
  })

  it('shows a tile that was changed under it, and keeps publishing the other trees', async () => {
    const trees = new MemoryTrees()
    const directory = temporaryDirectory()
    trees.grow('demo', 3)
    const { look, conflicts } = publish(trees, { directory })
    await look()
    trees.grow('demo', 1)
    trees.grow('other', 5)
    writeFileSync(join(directory, 'demo/2026-11/tile/0/000.p/4'), Buffer.alloc(128))
    await look()
    expect(conflicts).toMatchObject([
      { problem: 'demo/2026-11/tile/0/000.p/4: Another tile lies there than this tree has.' },
    ])
    expect(readFileSync(join(directory, 'demo/2026-11/checkpoint'), 'utf8')).toContain('\n3\n')
    expect(readFileSync(join(directory, 'other/2026-11/checkpoint'), 'utf8')).toContain('\n5\n')
  })
})

describe('an object store to which the log is published', () => {
  it('gets tiles before the checkpoint that covers them, in signed requests', async () => {
    const trees = new MemoryTrees()
    const { store, config } = await objectStore()
    const note = trees.grow('demo', 520)
    const { look, states } = publish(trees, { store: config })
    await look()
    expect(states()).toMatchObject([{ name: 'object store', status: 'ok' }])
    const at = 'log/demo/2026-11'
    expect(store.written).toEqual([
      'log/conditional-writes',
      ...['tile/0/000', 'tile/0/001', 'tile/0/002.p/8', 'tile/1/000.p/2', 'checkpoint'].map((path) => `${at}/${path}`),
    ])
    expect(store.objects.get(`${at}/checkpoint`)?.toString()).toBe(note)
    expect(rootOfTiles((path) => store.objects.get(`${at}/${path}`) ?? Buffer.alloc(0), 520)).toBe(rootOfNote(note))
  })

  it('is refused where the secret is not the right one, and no secret is told', async () => {
    const trees = new MemoryTrees()
    const { store, config } = await objectStore()
    trees.grow('demo', 2)
    const { look, changes } = publish(trees, { store: { ...config, secretAccessKey: 'canary-wrong-secret' } })
    await look()
    expect(store.objects.size).toBe(0)
    expect(changes).toMatchObject([
      { status: 'failing', problem: 'it answers with status 403 (SignatureDoesNotMatch)' },
    ])
    expect(JSON.stringify(changes)).not.toContain('canary')
  })

  it('is not written to where it would overwrite what is there', async () => {
    const trees = new MemoryTrees()
    const { store, config } = await objectStore()
    store.ignoresConditions = true
    trees.grow('demo', 2)
    const { look, state } = publish(trees, { store: config })
    await look()
    expect([...store.objects.keys()]).toEqual(['log/conditional-writes'])
    expect(state('object store')).toMatchObject({ status: 'failing' })
    expect(state('object store')?.problem).toContain('it overwrites what is there')
  })

  it('is brought up to date when it is back, without anything left out', async () => {
    const trees = new MemoryTrees()
    const { store, config } = await objectStore()
    const { look, changes } = publish(trees, { store: config })
    trees.grow('demo', 10)
    await look()
    store.failures = 2
    for (const count of [300, 300]) {
      trees.grow('demo', count)
      await look()
    }
    const note = trees.grow('demo', 1)
    await look()
    expect(changes.map(({ status }) => status)).toEqual(['failing', 'ok'])
    const at = 'log/demo/2026-11'
    expect(store.objects.get(`${at}/checkpoint`)?.toString()).toBe(note)
    expect(rootOfTiles((path) => store.objects.get(`${at}/${path}`) ?? Buffer.alloc(0), 611)).toBe(rootOfNote(note))
  })

  it('keeps a checkpoint that somebody else writes in between', async () => {
    const trees = new MemoryTrees()
    const { store, config } = await objectStore()
    trees.grow('demo', 10)
    const { look, state } = publish(trees, { store: config })
    await look()
    const other = Buffer.from('somebody else\n')
    store.beforeWrite = (key) => void (key.endsWith('checkpoint') && store.objects.set(key, other))
    trees.grow('demo', 10)
    await look()
    expect(state('object store')).toMatchObject({ status: 'failing', problem: 'somebody else writes to it too' })
    store.beforeWrite = null
    await look()
    expect(state('object store')?.problem).toContain('What lies there is no checkpoint.')
    expect(store.objects.get('log/demo/2026-11/checkpoint')).toEqual(other)
  })
})
