import { hash } from 'node:crypto'

/** Bytes of one SHA-256 tree hash. */
export const treeHashBytes = 32

/** Reads the hash of the complete subtree of `2^level` leaves that starts at leaf `index * 2^level`. */
export type SubtreeReader = (level: number, index: number) => Uint8Array

/** SHA-256 with the leaf prefix (RFC 6962 section 2.1). A string is hashed as its UTF-8 bytes. */
export function leafHash(data: string | Uint8Array): Buffer {
  if (typeof data === 'string') return sha256Bytes(`\0${data}`)
  const bytes = Buffer.allocUnsafe(1 + data.length)
  bytes[0] = 0x00
  bytes.set(data, 1)
  return sha256Bytes(bytes)
}

/** The same in lower-case hexadecimal: for who compares hashes and does not go on with their bytes, the cheaper form. */
export function leafHashText(text: string): string {
  return hash('sha256', `\0${text}`, 'hex')
}

/** SHA-256 with the node prefix over two 32-byte hashes (RFC 6962 section 2.1). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(1 + 2 * treeHashBytes)
  bytes[0] = 0x01
  bytes.set(left, 1)
  bytes.set(right, 1 + treeHashBytes)
  return sha256Bytes(bytes)
}

/** Root of the tree of no leaves: SHA-256 of nothing (RFC 6962 section 2.1). */
export function emptyRoot(): Buffer {
  return hash('sha256', '', 'buffer')
}

/** Root over the first `size` leaves. @throws RangeError for a size that is no count. */
export function treeRoot(read: SubtreeReader, size: number): Uint8Array {
  requireCount(size)
  return size === 0 ? emptyRoot() : rangeHash(read, 0, size)
}

/**
 * Hashes from the leaf's sibling up to the root's child (RFC 6962 section 2.1.1).
 * @throws RangeError unless `0 <= index < size`.
 */
export function inclusionProof(read: SubtreeReader, index: number, size: number): Uint8Array[] {
  requireCount(size)
  if (!Number.isSafeInteger(index) || index < 0 || index >= size) throw new RangeError('index is outside the tree')
  const path: Uint8Array[] = []
  let start = 0
  let end = size
  while (end - start > 1) {
    const split = start + largestPowerOfTwoBelow(end - start)
    if (index < split) {
      path.push(rangeHash(read, split, end))
      end = split
    } else {
      path.push(rangeHash(read, start, split))
      start = split
    }
  }
  return path.toReversed()
}

/**
 * Proof that the tree of `second` leaves begins with the tree of `first` leaves (RFC 6962 section 2.1.2).
 * Empty where the sizes are equal.
 * @throws RangeError unless `0 < first <= second`.
 */
export function consistencyProof(read: SubtreeReader, first: number, second: number): Uint8Array[] {
  requireCount(second)
  if (!Number.isSafeInteger(first) || first < 1 || first > second) throw new RangeError('first is outside the tree')
  const proof: Uint8Array[] = []
  let start = 0
  let end = second
  let known = true
  while (first - start !== end - start) {
    const split = start + largestPowerOfTwoBelow(end - start)
    if (first <= split) {
      proof.push(rangeHash(read, split, end))
      end = split
    } else {
      proof.push(rangeHash(read, start, split))
      start = split
      known = false
    }
  }
  if (!known) proof.push(rangeHash(read, start, end))
  return proof.toReversed()
}

/** Whether the proof shows the leaf at `index` in the tree of `size` leaves with that root (RFC 9162 section 2.1.3.2). */
export function verifyInclusion(
  leaf: Uint8Array,
  index: number,
  size: number,
  proof: readonly Uint8Array[],
  root: Uint8Array,
): boolean {
  if (!isCount(index) || !isCount(size) || index >= size) return false
  let position = index
  let last = size - 1
  let node = leaf
  for (const sibling of proof) {
    if (last === 0 || sibling.length !== treeHashBytes) return false
    if (position % 2 === 1 || position === last) {
      node = nodeHash(sibling, node)
      while (position % 2 === 0 && position !== 0) {
        position = Math.floor(position / 2)
        last = Math.floor(last / 2)
      }
    } else {
      node = nodeHash(node, sibling)
    }
    position = Math.floor(position / 2)
    last = Math.floor(last / 2)
  }
  return last === 0 && equalHashes(node, root)
}

/** Whether the proof shows that the second tree begins with the first one (RFC 9162 section 2.1.4.2). */
export function verifyConsistency(
  first: { readonly size: number; readonly root: Uint8Array },
  second: { readonly size: number; readonly root: Uint8Array },
  proof: readonly Uint8Array[],
): boolean {
  if (!isCount(first.size) || !isCount(second.size) || first.size > second.size) return false
  if (first.size === second.size) return proof.length === 0 && equalHashes(first.root, second.root)
  // Every tree begins with the empty one; there is nothing that a proof could add.
  if (first.size === 0) return proof.length === 0 && equalHashes(first.root, emptyRoot())
  const path = isPowerOfTwo(first.size) ? [first.root, ...proof] : [...proof]
  const [start, ...rest] = path
  if (start === undefined || path.some((node) => node.length !== treeHashBytes)) return false
  let position = first.size - 1
  let last = second.size - 1
  while (position % 2 === 1) {
    position = Math.floor(position / 2)
    last = Math.floor(last / 2)
  }
  let firstRoot: Uint8Array = start
  let secondRoot: Uint8Array = start
  for (const sibling of rest) {
    if (last === 0) return false
    if (position % 2 === 1 || position === last) {
      firstRoot = nodeHash(sibling, firstRoot)
      secondRoot = nodeHash(sibling, secondRoot)
      while (position % 2 === 0 && position !== 0) {
        position = Math.floor(position / 2)
        last = Math.floor(last / 2)
      }
    } else {
      secondRoot = nodeHash(secondRoot, sibling)
    }
    position = Math.floor(position / 2)
    last = Math.floor(last / 2)
  }
  return last === 0 && equalHashes(firstRoot, first.root) && equalHashes(secondRoot, second.root)
}

/** Hash over the leaves `start..end`; `start` is a multiple of the power of two that covers the range. */
function rangeHash(read: SubtreeReader, start: number, end: number): Uint8Array {
  const count = end - start
  if (isPowerOfTwo(count)) return read(Math.log2(count), start / count)
  const split = start + largestPowerOfTwoBelow(count)
  return nodeHash(rangeHash(read, start, split), rangeHash(read, split, end))
}

function largestPowerOfTwoBelow(count: number): number {
  let power = 1
  while (power * 2 < count) power *= 2
  return power
}

function isPowerOfTwo(count: number): boolean {
  return count > 0 && largestPowerOfTwoBelow(count * 2) === count
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

function requireCount(size: number): void {
  if (!isCount(size)) throw new RangeError('size is not a count')
}

/** By way of a text of one byte a character: memory of its own for every 32 bytes would cost more than the hash. */
function sha256Bytes(data: string | Uint8Array): Buffer {
  return Buffer.from(hash('sha256', data, 'binary'), 'latin1')
}

function equalHashes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && Buffer.compare(one, other) === 0
}
