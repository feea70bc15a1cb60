/** The scopes of a `scope` parameter or claim (RFC 6749 section 3.3), each once; `null` where there is none. */
export function readScopes(text: string | undefined): readonly string[] | null {
  return text === undefined ? null : [...new Set(text.split(' ').filter((scope) => scope !== ''))]
}
