/**
 * The value of a header that may be wrapped as `=?base64?...?=` because it holds more than printable ASCII
 * (MCP 2026-07-28, transports "Header value encoding"); `null` where the wrapping is broken.
 */
export function decodeHeaderValue(value: string): string | null {
  if (!value.startsWith('=?base64?') || !value.endsWith('?=') || value.length < 11) return value
  const encoded = value.slice('=?base64?'.length, -2)
  const bytes = Buffer.from(encoded, 'base64')
  if (bytes.toString('base64') !== encoded) return null
  const text = bytes.toString('utf8')
  return Buffer.from(text, 'utf8').equals(bytes) ? text : null
}
