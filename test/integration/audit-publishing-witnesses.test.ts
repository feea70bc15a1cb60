import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { countWitnesses, parseWitnessKey, readKeptCheckpoints } from '../../src/audit/index.ts'
import { MemoryTrees } from '../support/memory-trees.ts'
import { memoryCosignatures, objectStore, publish, witness } from '../support/published-trees.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import type { WitnessServer } from '../support/witness-server.ts'

describe('kept checkpoints', () => {
  it('are added to a file, one a line, once each', async () => {
    const trees = new MemoryTrees()
    const file = join(temporaryDirectory(), 'kept.jsonl')
    const positions = new Map<string, string>()
    const notes = [trees.grow('demo', 3)]
    const first = publish(trees, { checkpoints: { file } }, { positions })
    await first.look()
    await first.look()
    await first.close()
    // Cut off when the machine stopped.
    writeFileSync(file, '"mcpworks/01', { flag: 'a' })
    notes.push(trees.grow('demo', 3))
    await publish(trees, { checkpoints: { file } }, { positions }).look()
    const lines = readFileSync(file, 'utf8').split('\n')
    expect(lines).toEqual([JSON.stringify(notes[0]), '"mcpworks/01', JSON.stringify(notes[1]), ''])
  })

  it.each([
    ['put back', (trees: MemoryTrees) => trees.backup('demo', 3), /covers 30 records, and 3 are signed here/],
    [
      'put back and taken another way',
      (trees: MemoryTrees) => {
        const forked = trees.backup('demo', 3)
        forked.grow('demo', 90, 'other')
        return forked
      },
      /signed over other records than the first 30 here/,
    ],
  ])(
    'in a file show a log that was %s, by a server that remembers nothing, and get nothing of it',
    async (_what, changed, says) => {
      const trees = new MemoryTrees()
      const file = join(temporaryDirectory(), 'kept.jsonl')
      const first = publish(trees, { checkpoints: { file } })
      trees.grow('demo', 10)
      await first.look()
      const note = trees.grow('demo', 20)
      await first.look()
      const before = readFileSync(file, 'utf8')
      const log = changed(trees)
      const { look, conflicts, state } = publish(log, { checkpoints: { file } })
      await look()
      await look()
      expect(conflicts).toMatchObject([{ where: 'checkpoint file', tree: { namespace: 'demo' }, theirs: note }])
      expect(conflicts[0]?.problem).toMatch(says)
      expect(state('checkpoint file')).toMatchObject({ status: 'conflict' })
      expect(readFileSync(file, 'utf8')).toBe(before)
      // The twin: the log that continues it, and another tree beside it, by a server that remembers nothing.
      const other = trees.grow('other', 4)
      const newer = trees.grow('demo', 1)
      const honest = publish(trees, { checkpoints: { file } })
      await honest.look()
      expect(honest.conflicts).toEqual([])
      expect(readKeptCheckpoints(readFileSync(file, 'utf8')).slice(2).toSorted()).toEqual([other, newer].toSorted())
    },
  )

  it.each([
    [600, 'it cannot be written (EFBIG)'],
    [4096, 'taken'],
  ])('are not taken for kept where the file has room for a part of one: %d bytes', (bytes, said) => {
    const file = join(temporaryDirectory(), 'kept.jsonl')
    const module = new URL('../../src/publishing/checkpoint-file.ts', import.meta.url).href
    const script = `
      const { openCheckpointFile } = await import(${JSON.stringify(module)})
      const checkpoint = { namespace: 'demo', period: '2026-11', size: 1, timeMs: 0, note: 'x'.repeat(1000) }
      const sink = openCheckpointFile(${JSON.stringify(file)})
      console.log(await sink.take([checkpoint]).then(({ status }) => status, ({ message }) => message))`
    const limited = [`--fsize=${bytes}`, process.execPath, '--input-type=module', '--eval', script]
    expect(execFileSync('prlimit', limited, { encoding: 'utf8', timeout: 30_000 })).toBe(`${said}\n`)
    expect(readFileSync(file).length).toBe(Math.min(bytes, 1003))
  })

  it('are objects that are never replaced, and show a fork of the same size', async () => {
    const trees = new MemoryTrees()
    const { store, config } = await objectStore()
    const note = trees.grow('demo', 30)
    const keeping = publish(trees, { checkpoints: { store: config } })
    await keeping.look()
    const key = 'log/demo/2026-11/0000000000000030'
    expect(store.objects.get(key)?.toString()).toBe(note)
    // The twin: the same one again, by a server that lost its positions.
    const again = publish(trees, { checkpoints: { store: config } })
    await again.look()
    expect(again.states()).toMatchObject([{ name: 'checkpoint store', status: 'ok' }])
    const forked = trees.backup('demo', 20)
    forked.grow('demo', 10, 'other')
    const { look, conflicts } = publish(forked, { checkpoints: { store: config } })
    await look()
    expect(conflicts).toMatchObject([{ where: 'checkpoint store', theirs: note }])
    expect(store.objects.get(key)?.toString()).toBe(note)
  })
})

describe('witnesses', () => {
  it('cosign what continues what they saw, and the published checkpoint bears it', async () => {
    const trees = new MemoryTrees()
    const directory = temporaryDirectory()
    const { server, config } = await witness('witness.example/w1', trees)
    const { look, states } = publish(trees, { directory, witnesses: [config] })
    const key = parseWitnessKey(server.keyLine)
    for (const count of [1, 6, 293, 400]) {
      const note = trees.grow('demo', count)
      await look()
      const published = readFileSync(join(directory, 'demo/2026-11/checkpoint'), 'utf8')
      expect(published.startsWith(note)).toBe(true)
      expect(countWitnesses(published, key === null ? [] : [key])).toBe(1)
      expect(countWitnesses(note, key === null ? [] : [key])).toBe(0)
    }
    expect(server.answered).toEqual([200, 200, 200, 200])
    expect(states().map(({ status }) => status)).toEqual(['ok', 'ok'])
  })

  it('of both kinds of keys are counted once each', async () => {
    const trees = new MemoryTrees()
    const directory = temporaryDirectory()
    const one = await witness('witness.example/w1', trees)
    const other = await witness('witness.example/w2', trees, ['demo'], 'ml-dsa-44')
    const note = trees.grow('demo', 5)
    const { look } = publish(trees, { directory, witnesses: [one.config, { ...other.config, name: 'second' }] })
    await look()
    const published = readFileSync(join(directory, 'demo/2026-11/checkpoint'), 'utf8')
    const keys = [one, other].flatMap(({ server }) => parseWitnessKey(server.keyLine) ?? [])
    expect(countWitnesses(published, keys)).toBe(2)
    expect(countWitnesses(published, [...keys, ...keys])).toBe(2)
    expect(published.split('\n').length).toBe(note.split('\n').length + 2)
  })

  it('are asked from where they are, where this server has forgotten it', async () => {
    const trees = new MemoryTrees()
    const { server, config } = await witness('witness.example/w1', trees)
    trees.grow('demo', 70)
    await publish(trees, { witnesses: [config] }).look()
    trees.grow('demo', 30)
    const { look, states } = publish(trees, { witnesses: [config] })
    await look()
    expect(server.answered).toEqual([200, 409, 200])
    expect(states()).toMatchObject([{ name: 'witness tower', status: 'ok' }])
  })

  it.each([
    [
      'put back',
      (trees: MemoryTrees) => trees.backup('demo', 60),
      /cosigned 70 records of this log, and 60 are signed here/,
    ],
    [
      'put back and taken another way',
      (trees: MemoryTrees) => {
        const forked = trees.backup('demo', 60)
        forked.grow('demo', 40, 'other')
        return forked
      },
      /does not continue the one that it cosigned/,
    ],
  ])('show a log that was %s, and cosign nothing of it', async (_what, changed, says) => {
    const trees = new MemoryTrees()
    const { server, config } = await witness('witness.example/w1', trees)
    trees.grow('demo', 70)
    await publish(trees, { witnesses: [config] }).look()
    const cosignatures = memoryCosignatures()
    const { look, conflicts, state } = publish(changed(trees), { witnesses: [config] }, { cosignatures })
    await look()
    expect(conflicts).toMatchObject([{ where: 'witness tower', tree: { namespace: 'demo' } }])
    expect(conflicts[0]?.problem).toMatch(says)
    expect(state('witness tower')).toMatchObject({ status: 'conflict' })
    expect(await cosignatures.list('demo', '2026-11')).toEqual([])
    expect(server.answered).not.toContain(201)
  })

  it.each([
    ['a cosignature of something else', (server: WitnessServer) => ({ status: 200, body: server.cosign('x\n1\ny\n') })],
    [
      'a cosignature without a time',
      (server: WitnessServer, text: string) => ({ status: 200, body: server.cosign(text, 0n) }),
    ],
    ['nothing at all', () => ({ status: 200, body: '' })],
    ['rubbish', () => ({ status: 200, body: '\u2014 a b\n\n\n' })],
    ['an error', () => ({ status: 500, body: '' })],
    ['a conflict without a size', () => ({ status: 409, body: 'x' })],
  ])('that answer with %s are not believed, and asked again', async (_what, lie) => {
    const trees = new MemoryTrees()
    const { server, config } = await witness('witness.example/w1', trees)
    const note = trees.grow('demo', 7)
    server.lie = lie(server, note.slice(0, note.indexOf('\n\n') + 1))
    const cosignatures = memoryCosignatures()
    const { look, conflicts, changes } = publish(trees, { witnesses: [config] }, { cosignatures })
    await look()
    await look()
    expect(changes.map(({ status }) => status)).toEqual(['failing', 'ok'])
    expect(conflicts).toEqual([])
    expect((await cosignatures.list('demo', '2026-11')).map(({ size }) => size)).toEqual([7])
  })

  it('that claim something else each time are told of a few times, and not for ever', async () => {
    const trees = new MemoryTrees()
    const { server, config } = await witness('witness.example/w1', trees)
    trees.grow('demo', 7)
    const { look, conflicts, state } = publish(trees, { witnesses: [config] })
    for (let size = 100; size < 110; size++) {
      server.lie = { status: 409, body: `${size}\n` }
      await look()
      // As the record of an alarm does.
      trees.grow('demo', 1)
    }
    expect(conflicts.map(({ problem }) => /cosigned (\d+)/.exec(problem)?.[1])).toEqual(['100', '101', '102'])
    expect(state('witness tower')).toMatchObject({ status: 'conflict', problem: expect.stringContaining('109') })
    await look()
    expect(state('witness tower')).toMatchObject({ status: 'ok' })
  })

  it('that do not know the log say so, and keep nothing else from being published', async () => {
    const trees = new MemoryTrees()
    const directory = temporaryDirectory()
    const { config } = await witness('witness.example/w1', trees, [])
    const note = trees.grow('demo', 7)
    const { look, state } = publish(trees, { directory, witnesses: [config] })
    await look()
    expect(state('witness tower')).toMatchObject({
      status: 'failing',
      problem: 'demo/2026-11: it does not know this log',
    })
    expect(readFileSync(join(directory, 'demo/2026-11/checkpoint'), 'utf8')).toBe(note)
  })
})
