import type { SandboxSpec } from './sandbox.ts'

const maxFiles = 4096
const maxPathLength = 512
const maxNamesLength = 200_000

/** What makes a spec impossible to run, as a sentence, or `null`. Paths must stay inside the function's directory. */
export function specProblem(spec: SandboxSpec, maxBytes: number): string | null {
  if (spec.files.size > maxFiles) return `A function may have ${String(maxFiles)} files.`
  if (Object.values(spec.limits).some((limit) => !Number.isSafeInteger(limit) || limit < 0))
    return 'Limits are whole numbers.'
  const names = JSON.stringify([spec.id, spec.entry.file, spec.entry.name, ...spec.files.keys()])
  if (names.length > maxNamesLength) return 'The names of the files of a function are too long together.'
  let total = Buffer.byteLength(spec.inputJson)
  for (const [path, bytes] of spec.files) {
    total += bytes.byteLength
    if (!isInside(path)) return `${JSON.stringify(path.slice(0, 100))} is no path inside of a function.`
  }
  if (total > maxBytes) return `The files and the input of a function may have ${String(maxBytes)} bytes together.`
  if (!spec.files.has(spec.entry.file))
    return `The entry file ${JSON.stringify(spec.entry.file.slice(0, 100))} is not among the files.`
  return null
}

function isInside(path: string): boolean {
  if (path.length === 0 || path.length > maxPathLength || path.includes('\0') || path.includes('\\')) return false
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
}
