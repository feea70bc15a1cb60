import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs' // expect: only-crypto-in-kernel-digest

export const digest = [createHash, readFileSync]
