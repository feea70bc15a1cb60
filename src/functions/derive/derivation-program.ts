import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Runtime } from '../../sandbox/index.ts'

/** A program of ours that runs in the sandbox beside the code that it reads. */
export interface DerivationProgram {
  readonly files: ReadonlyMap<string, Uint8Array>
  readonly entry: { readonly file: string; readonly name: string }
}

/** The program for each language, read from disk when it is asked for. */
export const derivationPrograms: Readonly<Record<Runtime, () => DerivationProgram>> = {
  python: () => ({
    files: new Map([
      ['derive_python.py', read(new URL('./derive_python.py', import.meta.url))],
      ['docstring.py', read(new URL('./docstring.py', import.meta.url))],
    ]),
    entry: { file: 'derive_python.py', name: 'derive' },
  }),
  typescript: () => ({
    files: new Map([
      // In a release the program is compiled; JavaScript is TypeScript too.
      ['derive-typescript.ts', read(new URL(`./derive-typescript${ownExtension()}`, import.meta.url))],
      ['jsdoc.ts', read(new URL(`./jsdoc${ownExtension()}`, import.meta.url))],
      ['babel-parser.js', read(new URL(import.meta.resolve('@babel/parser')))],
    ]),
    entry: { file: 'derive-typescript.ts', name: 'derive' },
  }),
}

function ownExtension(): string {
  return import.meta.url.endsWith('.ts') ? '.ts' : '.js'
}

function read(url: URL): Uint8Array {
  return readFileSync(fileURLToPath(url))
}
