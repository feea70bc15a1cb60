import type { JsonObject } from '../../kernel/index.ts'

/** How the server names itself to clients. */
export interface ServerInfo {
  readonly name: string
  readonly version: string
}

/**
 * What a namespace's endpoint offers, by era. The same for every caller: what a caller may use is told by the lists.
 * Changes are told in the new era only, on `subscriptions/listen`: the older ones would need a stream outside any
 * request, and the endpoint takes nothing but POST.
 */
export function serverCapabilities(era: 'modern' | 'legacy'): JsonObject {
  const changes = era === 'modern' ? { listChanged: true } : {}
  return { tools: changes, resources: changes, prompts: changes, completions: {}, logging: {} }
}
