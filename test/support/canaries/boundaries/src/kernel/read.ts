import { readFileSync } from 'node:fs' // expect: no-node-in-pure-folders

export const read = readFileSync
