import { isName, McpworksError } from '../kernel/index.ts'

/**
 * Refuses what can name no log, so that hostile text in an address cannot open logs without bound.
 * @throws McpworksError `name_invalid`
 */
export function requireLogNamespace(namespace: string): void {
  if (!isName(namespace))
    throw new McpworksError('name_invalid', { detail: 'a record for a namespace that cannot exist' })
}
