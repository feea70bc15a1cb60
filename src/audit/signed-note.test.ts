import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { openCheckpoint, signCheckpoint } from './checkpoint.ts'
import { leafHash } from './rfc6962.ts'
import { ed25519Signer, openNote, parseVerifierKey, signNote, verifierKey } from './signed-note.ts'

function signer(name: string) {
  const pkcs8 = generateKeyPairSync('ed25519').privateKey.export({ format: 'der', type: 'pkcs8' })
  return { name, ...ed25519Signer(pkcs8) }
}

// The example of the Go package golang.org/x/mod/sumdb/note.
const goKey = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'
const goText = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
const goNote = `${goText}\n\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n`

describe('signed notes', () => {
  it('opens a note that the Go implementation signed', () => {
    const verifier = parseVerifierKey(goKey)
    expect(verifier?.name).toBe('PeterNeumann')
    expect(verifier === null ? null : openNote(goNote, verifier)).toBe(goText)
    expect(verifier === null ? null : verifierKey(verifier)).toBe(goKey)
  })

  it('opens its own notes, and none with one changed character', () => {
    const key = signer('mcpworks/1/demo')
    const note = signNote('one\ntwo\n', key)
    expect(openNote(note, key)).toBe('one\ntwo\n')
    for (let position = 0; position < note.length; position++) {
      const changed = `${note.slice(0, position)}${note[position] === 'A' ? 'B' : 'A'}${note.slice(position + 1)}`
      expect(openNote(changed, key)).toBeNull()
    }
  })

  it('does not open a note of another key, or of the same key under another name', () => {
    const key = signer('mcpworks/1/demo')
    const note = signNote('one\n', key)
    expect(openNote(note, signer('mcpworks/1/demo'))).toBeNull()
    expect(openNote(note, { ...key, name: 'mcpworks/1/other' })).toBeNull()
  })

  it('refuses key lines whose id is not their own', () => {
    expect(parseVerifierKey(goKey.replace('c74f20a3', 'c74f20a4'))).toBeNull()
    expect(parseVerifierKey(goKey.replace('PeterNeumann', 'PeterNeuman'))).toBeNull()
    expect(parseVerifierKey('no key')).toBeNull()
  })
})

describe('checkpoints', () => {
  const root = leafHash('root')

  it('come back as they were signed', () => {
    const key = signer('mcpworks/1/demo')
    const note = signCheckpoint({ origin: key.name, size: 4711, root }, key)
    expect(note.split('\n').slice(0, 3)).toEqual(['mcpworks/1/demo', '4711', root.toString('base64')])
    expect(openCheckpoint(note, key)).toEqual({ origin: 'mcpworks/1/demo', size: 4711, root })
  })

  it.each(['04711', '-1', '1e3', ' 1', '99999999999999999'])('are not accepted with the size "%s"', (size) => {
    const key = signer('mcpworks/1/demo')
    expect(openCheckpoint(signNote(`${key.name}\n${size}\n${root.toString('base64')}\n`, key), key)).toBeNull()
  })

  it('are not accepted with a root of another length', () => {
    const key = signer('mcpworks/1/demo')
    expect(openCheckpoint(signNote(`${key.name}\n1\n${root.subarray(1).toString('base64')}\n`, key), key)).toBeNull()
  })
})
