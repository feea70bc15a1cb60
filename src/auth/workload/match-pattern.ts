/** What a `*` never stands for: it must not reach over the parts that names are made of. */
const separators = /[/:@\p{Cc}]/u

/**
 * Whether a value fits a pattern: equal, or equal around the pattern's one `*`, which stands for at least one character
 * and for no separator. A pattern with several `*` fits nothing.
 */
export function matchesPattern(value: string, pattern: string): boolean {
  const [before, after, ...more] = pattern.split('*')
  if (before === undefined || more.length > 0) return false
  if (after === undefined) return value === pattern
  if (value.length <= before.length + after.length) return false
  if (!value.startsWith(before) || !value.endsWith(after)) return false
  return !separators.test(value.slice(before.length, value.length - after.length))
}
