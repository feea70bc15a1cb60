import type { SourceProblem } from './desired-state.ts'

/** A problem that concerns a file as a whole. */
export function fileProblem(file: string, message: string, hint: string | null = null): SourceProblem {
  return { file, line: null, column: null, message, hint }
}

/** `file:line:column: message (hint)`, as compilers print it. One line; control characters are shown as `?`. */
export function formatProblem(problem: SourceProblem): string {
  const place = [problem.file, problem.line, problem.line === null ? null : problem.column].filter(
    (part) => part !== null,
  )
  const hint = problem.hint === null ? '' : ` (${problem.hint})`
  // oxlint-disable-next-line no-control-regex -- control characters are what this takes out
  return `${place.join(':')}: ${problem.message}${hint}`.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, '?')
}

/** By file, then line, then column; a problem of the whole file comes first. */
export function sortProblems(problems: readonly SourceProblem[]): SourceProblem[] {
  return problems.toSorted(
    (a, b) => compareText(a.file, b.file) || (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0),
  )
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
