/**
 * A pattern for URIs that a level 1 URI template (RFC 6570) can expand to: `{name}` matches one or more
 * characters other than `/`. Other operators of RFC 6570 are taken as plain text.
 */
export function uriTemplatePattern(template: string): RegExp {
  const source = template
    .split(/(\{[A-Za-z0-9_.]+\})/)
    .map((part, position) => (position % 2 === 1 ? '[^/]+' : RegExp.escape(part)))
    .join('')
  return new RegExp(`^${source}$`, 'u')
}
