import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isNode, LineCounter, parseDocument, type Document } from 'yaml'
import { z } from 'zod'
import { policyCase } from '../contract/index.ts'
import type { JsonObject } from '../kernel/index.ts'
import { CliError } from './cli-error.ts'
import { exitCode } from './exit-code.ts'
import { regularFiles } from './read-policy-files.ts'

const caseFile = z.strictObject({ cases: z.array(policyCase).min(1) })

/**
 * Reads a file of policy cases, or all files `*.cases.yaml` directly in a directory, sorted by name.
 * @throws CliError `usage` where one cannot be read or has mistakes, and where a directory holds none.
 */
export async function readPolicyCases(path: string): Promise<JsonObject[]> {
  const found = await stat(path).catch(() => null)
  if (found === null || !found.isDirectory()) return readCaseFile(path)
  const names = (await regularFiles(path)).filter((name) => name.endsWith('.cases.yaml'))
  if (names.length === 0)
    throw new CliError(exitCode.usage, `There is no .cases.yaml file in ${path}.`, 'Give a file or the folder of some')
  return (await Promise.all(names.map((name) => readCaseFile(join(path, name))))).flat()
}

/**
 * Reads a file of policy cases: YAML 1.2 with one list, `cases`. Every mistake is told with line and column.
 * @throws CliError `usage` where the file cannot be read or has mistakes.
 */
async function readCaseFile(path: string): Promise<JsonObject[]> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch {
    throw new CliError(exitCode.usage, `${path} cannot be read.`, 'Give a YAML file with a list named cases')
  }
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines })
  const faults = document.errors.map(({ pos, message }) => {
    const { line, col } = lines.linePos(pos[0])
    return `${path}:${line}:${col}: ${message.split('\n')[0] ?? ''}`
  })
  if (faults.length > 0) throw mistakes(faults)
  const parsed = caseFile.safeParse(document.toJS({ maxAliasCount: 100 }))
  if (parsed.success) return JSON.parse(JSON.stringify(parsed.data.cases)) as JsonObject[]
  throw mistakes(
    parsed.error.issues.map((issue) => `${path}:${placeOf(document, issue.path, lines)}: ${issue.message}`),
  )
}

function mistakes(lines: readonly string[]): CliError {
  return new CliError(exitCode.usage, lines.join('\n'), 'Write cases as docs/policies.md shows')
}

/** Line and column of the innermost part of the path that is there. */
function placeOf(document: Document, path: readonly PropertyKey[], lines: LineCounter): string {
  for (let length = path.length; length > 0; length -= 1) {
    const node = document.getIn(path.slice(0, length), true)
    if (isNode(node) && node.range) {
      const { line, col } = lines.linePos(node.range[0])
      return `${line}:${col}`
    }
  }
  return '1:1'
}
