import { describe, expect, it } from 'vitest'
import { MemoryTrees } from '../../../test/support/memory-trees.ts'
import { WitnessServer } from '../../../test/support/witness-server.ts'
import { readKeptCheckpoints } from '../publish/kept-checkpoints.ts'
import { verifyInclusion } from '../rfc6962.ts'
import type { StoredCosignature } from './cosignature-store.ts'
import { countWitnesses, parseWitnessKey, type WitnessKey } from './cosignature.ts'
import { proveCosigned } from './prove-cosigned.ts'

const tree = { namespace: 'demo', period: '2026-11' }

function keysOf(...witnesses: WitnessServer[]): WitnessKey[] {
  return witnesses.flatMap(({ keyLine }) => parseWitnessKey(keyLine) ?? [])
}

const textOf = (note: string): string => note.slice(0, note.indexOf('\n\n') + 1)

describe('a proof for those who ask witnesses', () => {
  it('is one under the checkpoint that most of them cosigned', async () => {
    const trees = new MemoryTrees()
    const [one, other] = [
      new WitnessServer('w.example/1', new Map()),
      new WitnessServer('w.example/2', new Map(), 'ml-dsa-44'),
    ]
    const notes = [trees.grow('demo', 40), trees.grow('demo', 300), trees.grow('demo', 7)]
    const kept: StoredCosignature[] = [
      { ...tree, size: 340, witness: one.name, timeSeconds: 1, line: one.cosign(textOf(notes[1] ?? '')) },
      { ...tree, size: 340, witness: other.name, timeSeconds: 1, line: other.cosign(textOf(notes[1] ?? '')) },
      { ...tree, size: 347, witness: one.name, timeSeconds: 2, line: one.cosign(textOf(notes[2] ?? '')) },
    ]
    const [leaf] = await trees.hashes('demo', '2026-11', 0, 299, 300)
    const proof = {
      ...tree,
      index: 299,
      leafIndex: 299,
      leafHash: '',
      checkpoint: { size: 347, note: notes[2] ?? '' },
      inclusion: [],
    }
    const proven = await proveCosigned(proof, trees, { list: async () => kept })
    expect(proven.checkpoint?.size).toBe(340)
    expect(countWitnesses(proven.checkpoint?.note ?? '', keysOf(one, other))).toBe(2)
    const root = Buffer.from((notes[1] ?? '').split('\n')[2] ?? '', 'base64')
    const path = proven.inclusion.map((hash) => Buffer.from(hash, 'base64'))
    expect(verifyInclusion(leaf ?? Buffer.alloc(0), 299, 340, path, root)).toBe(true)
    // A record that no cosigned checkpoint covers yet.
    const newer = { ...proof, leafIndex: 347 }
    expect(await proveCosigned(newer, trees, { list: async () => kept })).toBe(newer)
  })
})

describe('counting witnesses', () => {
  const trees = new MemoryTrees()
  const note = trees.grow('demo', 5)
  const witness = new WitnessServer('w.example/1', new Map())

  it('counts a good cosignature of this very checkpoint and no other', () => {
    const other = trees.grow('demo', 1)
    expect(countWitnesses(`${note}${witness.cosign(textOf(note))}`, keysOf(witness))).toBe(1)
    expect(countWitnesses(`${note}${witness.cosign(textOf(other))}`, keysOf(witness))).toBe(0)
    expect(
      countWitnesses(`${note}${witness.cosign(textOf(note))}`, keysOf(new WitnessServer('w.example/1', new Map()))),
    ).toBe(0)
    expect(countWitnesses(note, keysOf(witness))).toBe(0)
  })

  it('counts one key once, under however many names it goes', () => {
    const [key] = keysOf(witness)
    if (key === undefined) throw new Error('no key')
    const line = witness.cosign(textOf(note))
    expect(countWitnesses(`${note}${line}${line}`, [key, key])).toBe(1)
    expect(parseWitnessKey(witness.keyLine.replace('w.example/1', 'w.example/2'))).toBeNull()
  })

  it('takes no key of another kind for that of a witness', () => {
    expect(parseWitnessKey('example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k')).toBeNull()
    expect(parseWitnessKey('')).toBeNull()
  })
})

describe('a file of kept checkpoints', () => {
  it('passes over a line that was cut off and came again, and over no other', () => {
    const [first, second] = ['a\n1\nx\n', 'a\n2\ny\n'].map((note) => JSON.stringify(note))
    const cut = `${first}\n${second?.slice(0, 5)}\n${second}\n`
    expect(readKeptCheckpoints(cut)).toEqual(['a\n1\nx\n', 'a\n2\ny\n'])
    expect(readKeptCheckpoints(`${first}\nrubbish\n`)).toEqual(['a\n1\nx\n', 'rubbish'])
  })
})
