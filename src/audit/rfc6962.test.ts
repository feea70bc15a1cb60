import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  consistencyProof,
  emptyRoot,
  inclusionProof,
  leafHash,
  nodeHash,
  treeRoot,
  verifyConsistency,
  verifyInclusion,
  type SubtreeReader,
} from './rfc6962.ts'

// The test vectors of the Certificate Transparency reference implementation.
const vectorLeaves = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
]
const vectorRoots = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
]

/** The definition of section 2.1, as slowly as it is written. */
function rootByDefinition(leaves: readonly Uint8Array[]): Uint8Array {
  const [only] = leaves
  if (only === undefined) return emptyRoot()
  if (leaves.length === 1) return only
  let split = 1
  while (split * 2 < leaves.length) split *= 2
  return nodeHash(rootByDefinition(leaves.slice(0, split)), rootByDefinition(leaves.slice(split)))
}

function readerOf(leaves: readonly Uint8Array[]): SubtreeReader {
  return (level, index) => rootByDefinition(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level))
}

const numbered = (count: number) => Array.from({ length: count }, (_, position) => leafHash(`leaf ${position}`))
const sizes = fc.integer({ min: 1, max: 70 })
const flip = (bytes: Uint8Array) => Uint8Array.from(bytes, (byte, position) => (position === 7 ? byte ^ 1 : byte))

describe('RFC 6962 trees', () => {
  it.each(vectorRoots.map((root, size) => ({ size, root })))(
    'gives the reference root over $size leaves',
    ({ size, root }) => {
      const leaves = vectorLeaves.slice(0, size).map((hex) => leafHash(Buffer.from(hex, 'hex')))
      expect(Buffer.from(treeRoot(readerOf(leaves), size)).toString('hex')).toBe(root)
    },
  )

  it('hashes a string as its UTF-8 bytes', () => {
    expect(leafHash('Zürich')).toEqual(leafHash(Buffer.from('Zürich', 'utf8')))
  })

  it('gives the root of the definition for every size', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 70 }), (size) => {
        const leaves = numbered(size)
        expect(treeRoot(readerOf(leaves), size)).toEqual(rootByDefinition(leaves))
      }),
    )
  })

  it('proves every leaf in every tree, and nothing else with the same proof', () => {
    fc.assert(
      fc.property(sizes, fc.nat(), (size, pick) => {
        const index = pick % size
        const leaves = numbered(size)
        const root = rootByDefinition(leaves)
        const proof = inclusionProof(readerOf(leaves), index, size)
        const leaf = leaves[index] ?? emptyRoot()
        expect(verifyInclusion(leaf, index, size, proof, root)).toBe(true)
        expect(verifyInclusion(flip(leaf), index, size, proof, root)).toBe(false)
        expect(verifyInclusion(leaf, index, size, proof, flip(root))).toBe(false)
        expect(verifyInclusion(leaf, index, size, [...proof, leaf], root)).toBe(false)
        expect(verifyInclusion(leaf, size, size, proof, root)).toBe(false)
        if (size > 1) {
          expect(verifyInclusion(leaf, (index + 1) % size, size, proof, root)).toBe(false)
          expect(verifyInclusion(leaf, index, size, proof.slice(1), root)).toBe(false)
          expect(verifyInclusion(leaf, index, size, proof.map(flip), root)).toBe(false)
        }
      }),
    )
  })

  it('proves that a tree begins with every smaller one, and with no other', () => {
    fc.assert(
      fc.property(sizes, sizes, (one, other) => {
        const [small, large] = [Math.min(one, other), Math.max(one, other)]
        const leaves = numbered(large)
        const first = { size: small, root: rootByDefinition(leaves.slice(0, small)) }
        const second = { size: large, root: rootByDefinition(leaves) }
        const proof = consistencyProof(readerOf(leaves), small, large)
        expect(verifyConsistency(first, second, proof)).toBe(true)
        expect(verifyConsistency({ ...first, root: flip(first.root) }, second, proof)).toBe(false)
        expect(verifyConsistency(first, { ...second, root: flip(second.root) }, proof)).toBe(false)
        expect(verifyConsistency(first, second, [...proof, first.root])).toBe(false)
        if (small < large) {
          expect(verifyConsistency(second, first, proof)).toBe(false)
          expect(verifyConsistency(first, second, proof.slice(1))).toBe(false)
          expect(verifyConsistency(first, second, proof.map(flip))).toBe(false)
        }
      }),
    )
  })

  it('refuses a proof for a leaf that the tree does not have', () => {
    const read = readerOf(numbered(3))
    expect(() => inclusionProof(read, 3, 3)).toThrow(RangeError)
    expect(() => inclusionProof(read, -1, 3)).toThrow(RangeError)
    expect(() => consistencyProof(read, 0, 3)).toThrow(RangeError)
    expect(() => consistencyProof(read, 4, 3)).toThrow(RangeError)
    expect(() => treeRoot(read, 1.5)).toThrow(RangeError)
  })
})
