/**
 * A URL as `htu` is compared (RFC 9449 section 4.3, point 9): without query and fragment, normalised by syntax and
 * scheme (RFC 3986 sections 6.2.2 and 6.2.3). `null` for what is no http or https URL, or names a user.
 */
export function normalizeTarget(text: string): string | null {
  if (text.length > 4096 || !/^https?:\/\/[\x21-\x7e]+$/i.test(text) || text.includes('\\')) return null
  const url = URL.parse(text)
  if (url === null || url.username !== '' || url.password !== '') return null
  return `${url.origin}${normalizeEscapes(url.pathname)}`
}

/** `%41` is `A`, `%2f` is `%2F` and stays itself. */
function normalizeEscapes(path: string): string {
  return path.replaceAll(/%[0-9a-f]{2}/gi, (escape) => {
    const character = String.fromCharCode(Number.parseInt(escape.slice(1), 16))
    return /[A-Za-z0-9._~-]/.test(character) ? character : escape.toUpperCase()
  })
}
