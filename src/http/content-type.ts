import type { RequestHead } from './request-head.ts'

/** Media type `application/json`, whatever its parameters, and no content coding. */
export function isJsonContent(head: RequestHead): boolean {
  const essence = head.contentType?.split(';', 1)[0]?.trim().toLowerCase()
  return essence === 'application/json' && (head.contentEncoding ?? 'identity') === 'identity'
}
