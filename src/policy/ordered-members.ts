/**
 * Whether every object in a JSON value enumerates its members in the order of RFC 8785 (by UTF-16 code units), so that
 * `JSON.stringify` writes them in it. Names like `10` enumerate by number, whenever they were put in.
 */
export function isOrdered(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true
  if (Array.isArray(value)) return value.every(isOrdered)
  let last: string | null = null
  for (const [name, member] of Object.entries(value)) {
    if (last !== null && name < last) return false
    if (!isOrdered(member)) return false
    last = name
  }
  return true
}
