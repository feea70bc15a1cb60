import { readFileSync } from 'node:fs'

/** Where the adapter stands among the function's files. Authors cannot use names that begin with `_mcpworks`. */
export const adapterFile = '_mcpworks_adapter.py'

const adapterText = readFileSync(new URL('./python_adapter.py', import.meta.url), 'utf8')
const identifier = /^[A-Za-z_][A-Za-z0-9_]*$/

/**
 * The files of a Python function with the adapter that maps the one input object to the function's parameters, and
 * the adapter's entry. `file` lies directly in the service's folder; both names must be identifiers.
 * @throws RangeError where one is not: nothing but identifiers may get into generated code.
 */
export function adaptPython(
  files: ReadonlyMap<string, Uint8Array>,
  entry: { readonly file: string; readonly name: string },
): { files: ReadonlyMap<string, Uint8Array>; entry: { file: string; name: string } } {
  const module = entry.file.replace(/\.py$/, '')
  if (!identifier.test(module) || !identifier.test(entry.name))
    throw new RangeError('a Python entry is named by identifiers')
  const text = adapterText.replace('@module@', module).replace('@function@', entry.name)
  return {
    files: new Map(files).set(adapterFile, Buffer.from(text, 'utf8')),
    entry: { file: adapterFile, name: 'call' },
  }
}
