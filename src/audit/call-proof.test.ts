import { generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { WitnessServer } from '../../test/support/witness-server.ts'
import { checkCallProof, makeCallProof } from './call-proof.ts'
import { checkpointOrigin, signCheckpoint } from './checkpoint.ts'
import { LogTree } from './log-tree.ts'
import type { StoredRecord } from './record.ts'
import { inclusionProof, leafHash, type SubtreeReader } from './rfc6962.ts'
import { ed25519Signer, verifierKey } from './signed-note.ts'
import { readTlogProof, writeTlogProof } from './tlog-proof.ts'
import { parseWitnessKey } from './witness/cosignature.ts'

const key = newKey()
const keyLine = verifierKey({ name: 'mcpworks/log1', publicKey: key.publicKey })

function newKey() {
  return ed25519Signer(generateKeyPairSync('ed25519').privateKey.export({ format: 'der', type: 'pkcs8' }))
}

function recordText(call: string, kind: string, namespace = 'demo'): string {
  return JSON.stringify({
    call,
    id: `id-${kind}`,
    kind,
    namespace,
    time: '2026-01-02T03:04:05.000Z',
    writer: { epoch: 1, id: 'w', seq: 1, prev_hash: null },
  })
}

/** A log of which `texts` are the records, and proofs of those at `positions`. */
function proofOf(texts: readonly string[], positions: readonly number[], signer = key, namespace = 'demo') {
  const leaves = texts.map((text) => leafHash(text))
  const read: SubtreeReader = (level, index) => rootOf(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level))
  const origin = checkpointOrigin('log1', namespace, '2026-01')
  const note = signCheckpoint({ origin, size: leaves.length, root: rootOf(leaves) }, { name: origin, ...signer })
  const records = positions.map((index) => ({
    stored: { json: texts[index] ?? '' } as StoredRecord,
    proof: {
      namespace,
      index,
      period: '2026-01',
      leafIndex: index,
      leafHash: '',
      checkpoint: { size: leaves.length, note },
      inclusion: inclusionProof(read, index, leaves.length).map((hash) => Buffer.from(hash).toString('base64')),
    },
  }))
  return makeCallProof('call1', records)
}

function rootOf(leaves: readonly Uint8Array[]): Uint8Array {
  const tree = new LogTree()
  for (const leaf of leaves) tree.append(leaf)
  return tree.root()
}

const others = Array.from({ length: 13 }, (_, at) => recordText(`other${at}`, 'decision'))
const log = [
  ...others,
  recordText('call1', 'decision'),
  recordText('between', 'decision'),
  recordText('call1', 'outcome'),
]
const good = JSON.stringify(proofOf(log, [13, 15]))

describe('a proof of a call', () => {
  it('shows its records to who has the key', () => {
    expect(checkCallProof(good, `${keyLine}\n`)).toEqual({
      ok: true,
      call: 'call1',
      namespace: 'demo',
      records: [
        {
          kind: 'decision',
          time: '2026-01-02T03:04:05.000Z',
          period: '2026-01',
          index: 13,
          treeSize: 16,
          witnesses: 0,
        },
        { kind: 'outcome', time: '2026-01-02T03:04:05.000Z', period: '2026-01', index: 15, treeSize: 16, witnesses: 0 },
      ],
    })
  })

  it('is refused where fewer witnesses cosigned than are asked for, and taken where enough did', () => {
    const witness = new WitnessServer('witness.example/w1', new Map())
    const witnesses = [parseWitnessKey(witness.keyLine)].filter((key) => key !== null)
    expect(checkCallProof(good, keyLine, { witnesses, quorum: 1 })).toEqual({
      ok: false,
      problem: '0 of the witnesses cosigned the checkpoint of record 0, and 1 are asked for.',
    })
    const file = JSON.parse(good) as { records: { record: string; proof: string }[] }
    const cosign = (proof: string): string => {
      const checkpoint = proof.slice(proof.indexOf('\n\n') + 2)
      return `${proof}${witness.cosign(checkpoint.slice(0, checkpoint.indexOf('\n\n') + 1))}`
    }
    const records = file.records.map(({ record, proof }) => ({ record, proof: cosign(proof) }))
    const cosigned = JSON.stringify({ ...file, records })
    expect(checkCallProof(cosigned, keyLine, { witnesses, quorum: 1 })).toMatchObject({
      ok: true,
      records: [{ witnesses: 1 }, { witnesses: 1 }],
    })
  })

  it('is there only where all records are signed', () => {
    const proof = {
      namespace: 'demo',
      index: 0,
      period: '',
      leafIndex: 0,
      leafHash: '',
      checkpoint: null,
      inclusion: [],
    }
    expect(makeCallProof('call1', [{ stored: { json: '{}' } as StoredRecord, proof }])).toBeNull()
  })

  it('is refused under another key, and for a checkpoint that another key signed', () => {
    const line = verifierKey({ name: 'mcpworks/log1', publicKey: newKey().publicKey })
    expect(checkCallProof(good, line)).toMatchObject({
      ok: false,
      problem: expect.stringContaining('no good signature'),
    })
    const forged = JSON.stringify(proofOf(log, [13, 15], newKey()))
    expect(checkCallProof(forged, keyLine)).toMatchObject({ ok: false })
  })

  it('is refused where a record says another namespace than its log, another call, or nothing', () => {
    const moved = JSON.stringify(proofOf([recordText('call1', 'decision', 'side')], [0]))
    expect(checkCallProof(moved, keyLine)).toMatchObject({ ok: false })
    const renamed = JSON.stringify(proofOf([recordText('call2', 'decision')], [0]))
    expect(checkCallProof(renamed, keyLine)).toMatchObject({
      ok: false,
      problem: expect.stringContaining('another call'),
    })
    expect(checkCallProof(JSON.stringify(proofOf(['{}'], [0])), keyLine)).toMatchObject({ ok: false })
  })

  it('does not hold once any character of it is another', () => {
    // The last character of a line of base64 and white space between members may be written in several ways.
    const marks = Array.from(good)
      .map((character, at) => ({ character, at }))
      .filter(({ character }) => /[A-Za-z0-9]/.test(character))
    fc.assert(
      fc.property(fc.constantFrom(...marks), fc.constantFrom('A', 'z', '0', '7'), ({ character, at }, other) => {
        fc.pre(other !== character)
        expect(checkCallProof(good.slice(0, at) + other + good.slice(at + 1), keyLine).ok).toBe(false)
      }),
    )
  })

  it('is refused with a sentence whatever the file holds', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), fc.string(), (text, line) => {
        expect(checkCallProof(text, line).ok).toBe(false)
        expect(checkCallProof(text, keyLine).ok).toBe(false)
      }),
    )
  })
})

describe('the text of a proof', () => {
  const proof = {
    index: 7,
    inclusion: [Buffer.alloc(32, 1), Buffer.alloc(32, 2)],
    checkpoint: 'origin\n9\nroot\n\nsignature\n',
  }

  it('is read as it was written', () => {
    expect(readTlogProof(writeTlogProof(proof))).toEqual(proof)
    expect(readTlogProof(writeTlogProof({ ...proof, inclusion: [] }))).toEqual({ ...proof, inclusion: [] })
  })

  it('may carry an extra line, and nothing else', () => {
    const text = writeTlogProof(proof)
    expect(readTlogProof(text.replace('\n', '\nextra AAAA\n'))).toEqual(proof)
    for (const broken of ['\nmore AAAA\n', '\n\n', ' \n', '\nindex 07\n'])
      expect(readTlogProof(text.replace('\n', broken))).toBeNull()
  })
})
