/** One way in which credentials look. What stands before the credential is the first group, where there is one. */
interface SecretPattern {
  readonly kind: string
  readonly found: RegExp
}

/**
 * Not inside of a longer word; an escape of JSON or of an address before it (`\n`, `%3D`) is none. It also bounds the
 * work: a run of such characters is looked at from its start alone.
 */
const start = '(?:(?<![A-Za-z0-9_-])|(?<=\\\\[bfnrt]|\\\\u[0-9A-Fa-f]{4}|%[0-9A-Fa-f]{2}))'

/**
 * What credentials look like, by the prefixes that their makers gave them so that they can be found. Each pattern
 * looks at a character a bounded number of times. A secret that looks like nothing of this is found by the tool's
 * schema or not at all.
 */
const secretPatterns: readonly SecretPattern[] = [
  pattern('mcpworks-key', 'mcpw_[a-z0-9]{4,40}_[A-Za-z0-9_-]{16,}'),
  pattern('jwt', 'eyJ[A-Za-z0-9_-]{8,}\\.[A-Za-z0-9_-]*(?:\\.[A-Za-z0-9_-]+){1,3}'),
  pattern('github-token', '(?:gh[opsur]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})'),
  pattern('gitlab-token', 'gl(?:pat|ptt|dt|rt|cbt|oas)-[A-Za-z0-9_-]{16,}'),
  pattern('aws-key', '(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])'),
  pattern('google-key', '(?:AIza[A-Za-z0-9_-]{35}|GOCSPX-[A-Za-z0-9_-]{20,}|ya29\\.[A-Za-z0-9_-]{20,})'),
  pattern('slack-token', '(?:xox[abeoprs]-[A-Za-z0-9-]{10,}|xapp-[A-Za-z0-9-]{10,})'),
  pattern('api-key', 'sk-[A-Za-z0-9_-]{20,}'),
  pattern('stripe-key', '(?:[rs]k_(?:live|test)_|whsec_)[A-Za-z0-9+/=]{16,}'),
  pattern('registry-token', '(?:npm_[A-Za-z0-9]{36}|pypi-[A-Za-z0-9_-]{50,}|dckr_(?:pat|oat)_[A-Za-z0-9_-]{20,})'),
  pattern(
    'platform-token',
    '(?:hf_[A-Za-z0-9]{30,}|hv[bs]\\.[A-Za-z0-9_-]{20,}|dop_v1_[a-f0-9]{64}|shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32})',
  ),
  pattern('mail-key', 'SG\\.[A-Za-z0-9_-]{16,}\\.[A-Za-z0-9_-]{16,}'),
  pattern('age-key', 'AGE-SECRET-KEY-1[0-9A-Z]{50,}'),
  pattern('bot-token', '[0-9]{8,10}:AA[A-Za-z0-9_-]{33}'),
  {
    kind: 'authorization',
    found: /(?:(?<![A-Za-z0-9])|(?<=\\[bfnrt]))((?:Bearer|Basic|DPoP) {1,4})[A-Za-z0-9._~+/=-]{16,}/gi,
  },
  { kind: 'url-password', found: /(:\/\/[^\s/:@]{0,200}:)[^\s/@]{1,200}(?=@)/g },
]

function pattern(kind: string, text: string): SecretPattern {
  return { kind, found: new RegExp(`${start}()${text}`, 'g') }
}

/** Where a private key begins in PEM (RFC 7468) or in OpenPGP's armour (RFC 9580). */
const pemBegin = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g
const pemEnd = '-----END '

/** Whether a JSON text may hold anything of the above. Says yes too often, never no where there is something. */
export function mayHoldSecrets(json: string): boolean {
  return /mcpw_|eyJ|gh[opsur]_|github_pat_|gl(?:pat|ptt|dt|rt|cbt|oas)-|AKIA|ASIA|AIza|GOCSPX-|ya29\.|xox[abeoprs]-|xapp-|sk-|[rs]k_(?:live|test)_|whsec_|npm_|pypi-|dckr_|hf_|hv[bs]\.|dop_v1_|shp(?:at|ca|pa|ss)_|SG\.|AGE-SECRET-KEY-1|:AA|Bearer |Basic |DPoP |:\/\/|PRIVATE KEY(?: BLOCK)?-----/i.test(
    json,
  )
}

/** A text without the credentials that stand in it, and how many there were. */
export function withoutSecrets(text: string): { readonly text: string; readonly count: number } {
  let count = 0
  let left = withoutPrivateKeys(text, () => (count += 1))
  for (const { kind, found } of secretPatterns) {
    left = left.replaceAll(found, (_, before: string) => {
      count += 1
      return `${before}[redacted ${kind}]`
    })
  }
  return { text: left, count }
}

/** Takes out what stands between the lines that frame a private key; to the end of the text where the last one is missing. */
function withoutPrivateKeys(text: string, onFound: () => void): string {
  if (!text.includes('PRIVATE KEY')) return text
  let kept = ''
  let at = 0
  for (const { 0: line, index } of text.matchAll(pemBegin)) {
    if (index < at) continue
    const end = text.indexOf(pemEnd, index + line.length)
    onFound()
    kept += `${text.slice(at, index + line.length)}[redacted private-key]`
    at = end === -1 ? text.length : end
  }
  return kept + text.slice(at)
}
