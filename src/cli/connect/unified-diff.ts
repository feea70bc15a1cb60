const contextLines = 3

/**
 * What changes from one text to the other, as a unified diff of one piece: from the first line that differs to the last
 * one. Empty where nothing does.
 */
export function unifiedDiff(path: string, before: string | null, after: string): string {
  if (before === after) return ''
  const old = linesOf(before ?? '')
  const now = linesOf(after)
  let start = 0
  while (start < old.length && start < now.length && old[start] === now[start]) start += 1
  let same = 0
  while (same < old.length - start && same < now.length - start && old.at(-1 - same) === now.at(-1 - same)) same += 1
  const from = Math.max(0, start - contextLines)
  const oldEnd = old.length - same
  const nowEnd = now.length - same
  const trailing = Math.min(contextLines, same)
  const range = (count: number): string => `${count === 0 ? from : from + 1},${count}`
  return [
    `--- ${before === null ? '/dev/null' : path}`,
    `+++ ${path}`,
    `@@ -${range(oldEnd + trailing - from)} +${range(nowEnd + trailing - from)} @@`,
    ...old.slice(from, start).map((line) => ` ${line}`),
    ...old.slice(start, oldEnd).map((line) => `-${line}`),
    ...now.slice(start, nowEnd).map((line) => `+${line}`),
    ...old.slice(oldEnd, oldEnd + trailing).map((line) => ` ${line}`),
  ].join('\n')
}

function linesOf(text: string): string[] {
  if (text === '') return []
  const lines = text.split(/\r?\n/)
  return lines.at(-1) === '' ? lines.slice(0, -1) : [...lines.slice(0, -1), `${lines.at(-1) ?? ''} (no end of line)`]
}
