const named = /((?:authorization|token|secret|key|password|credential)[\w-]*["']?\s*[:=]\s*["'])([^"']+)(["'])/gi

/**
 * Text of configuration with what looks like a secret replaced by `…`: values of members named after one, unless they
 * are references to a variable or an input. Ours, and those of other servers that happen to stand near it.
 */
export function maskSecrets(text: string): string {
  return text
    .replaceAll(named, (whole: string, before: string, value: string, quote: string) => {
      const [, scheme = '', rest = ''] = /^((?:Bearer|Basic|token) +)?(.*)$/is.exec(value) ?? []
      const isReference = rest.startsWith('$') || /env_var|env_http_headers/i.test(before)
      return isReference ? whole : `${before}${scheme}…${quote}`
    })
    .replaceAll(/mcpw_[a-z0-9]{12}_[A-Za-z0-9_-]+/g, (key) => `${key.slice(0, 18)}…`)
}
