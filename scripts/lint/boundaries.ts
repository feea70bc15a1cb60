import { globSync } from 'node:fs'
import { cruise, type ICruiseResult } from 'dependency-cruiser'
import { boundaryRules, folders, readOptions } from './boundary-rules.ts'

/** What the boundary check found. `modules` and `imports` say that it has read something at all. */
export interface BoundaryReport {
  readonly problems: readonly string[]
  readonly modules: number
  readonly imports: number
}

/** Where the rules apply. `test` may import anything, and is only looked at as something that is imported. */
const roots = ['src', 'bin', 'scripts']

/**
 * Checks the import boundaries of a source tree against `boundaryRules`.
 *
 * Not seen: modules that are loaded by a computed name (the lint rule no-hidden-import forbids those). A source file
 * that the reader passed over, or a tree in which it found no imports, is a problem: without a parser that knows
 * TypeScript the reader reports success after reading nothing.
 */
export async function checkBoundaries(directory: string): Promise<BoundaryReport> {
  const present = roots.filter((name) => globSync(`${name}/**/*.{ts,mjs}`, { cwd: directory }).length > 0)
  const { output } = await cruise(present, {
    ...readOptions,
    baseDir: directory,
    validate: true,
    ruleSet: { forbidden: [...boundaryRules] },
  })
  if (typeof output === 'string') throw new TypeError('dependency-cruiser gave text instead of its result')
  const violations = output.summary.violations.map(
    (violation) => `${violation.from} -> ${violation.to}: ${violation.rule.name}. ${commentOf(violation.rule.name)}`,
  )
  const imports = output.modules.reduce((sum, module) => sum + module.dependencies.length, 0)
  const problems = [...violations, ...fileProblems(output, directory)]
  if (imports === 0) problems.push('No import was read: the parser does not work.')
  return { problems, modules: output.modules.length, imports }
}

function commentOf(rule: string): string {
  return boundaryRules.find(({ name }) => name === rule)?.comment ?? ''
}

function fileProblems(output: ICruiseResult, directory: string): readonly string[] {
  const read = new Set(output.modules.map(({ source }) => source))
  return globSync('src/**/*.ts', { cwd: directory }).flatMap((file) => [
    ...(read.has(file) ? [] : [`${file}: not-read. The parser passed over it.`]),
    ...(Object.hasOwn(folders, file.split('/')[1] ?? '')
      ? []
      : [`${file}: known-folder. Its folder is not in the table of design/architecture.md.`]),
  ])
}
