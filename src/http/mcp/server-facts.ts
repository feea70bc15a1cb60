import type { JsonObject } from '../../kernel/index.ts'

/** How the server names itself to clients. */
export interface ServerInfo {
  readonly name: string
  readonly version: string
}

/**
 * What a namespace's endpoint offers, by era. The same for every caller: what a caller may use is told by the lists.
 */
export function serverCapabilities(era: 'modern' | 'legacy'): JsonObject {
  return {
    tools: { listChanged: true },
    resources: era === 'modern' ? { listChanged: true } : { listChanged: true, subscribe: true },
    prompts: { listChanged: true },
    completions: {},
    logging: {},
  }
}
