import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Runtime } from '../../sandbox/index.ts'

/** A program of ours that runs in the sandbox beside the code that it reads. */
export interface DerivationProgram {
  readonly files: ReadonlyMap<string, Uint8Array>
  readonly entry: { readonly file: string; readonly name: string }
}

const pythonFiles = ['derive_python', 'docstring', 'python_module', 'python_types']
const typescriptFiles = ['derive-typescript', 'jsdoc', 'syntax-tree', 'typescript-module', 'typescript-types']

/** The program for each language, read from disk when it is asked for. */
export const derivationPrograms: Readonly<Record<Runtime, () => DerivationProgram>> = {
  python: () => ({
    files: new Map(pythonFiles.map((name) => [`${name}.py`, read(new URL(`./${name}.py`, import.meta.url))])),
    entry: { file: 'derive_python.py', name: 'derive' },
  }),
  typescript: () => ({
    files: new Map([
      ...typescriptFiles.map(
        (name) => [`${name}${ownExtension()}`, read(new URL(`./${name}${ownExtension()}`, import.meta.url))] as const,
      ),
      ['node_modules/@babel/parser/package.json', Buffer.from('{"type":"module","main":"index.js"}')],
      ['node_modules/@babel/parser/index.js', read(new URL(import.meta.resolve('@babel/parser')))],
    ]),
    entry: { file: `derive-typescript${ownExtension()}`, name: 'derive' },
  }),
}

/** The TypeScript program. In a release it is compiled, which Bun runs as well. */
function ownExtension(): string {
  return import.meta.url.endsWith('.ts') ? '.ts' : '.js'
}

function read(url: URL): Uint8Array {
  return readFileSync(fileURLToPath(url))
}
