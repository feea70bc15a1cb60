import type { JsonObject } from '../../kernel/index.ts'
import type { CatalogueEntry } from '../catalogue.ts'
import type { GatewayPorts } from '../ports.ts'
import type { Acted } from './act.ts'

/**
 * Looks at what came out before anybody gets it: size, and a tool's structured result against its output schema.
 * What does not fit is replaced by a tool error that says what was wrong, without the output.
 */
export function inspect(acted: Acted, entry: CatalogueEntry | null, ports: GatewayPorts): Acted {
  if (acted.status !== 'ok' || entry === null) return acted
  const bytes = Buffer.byteLength(JSON.stringify(acted.result))
  if (bytes > ports.config.maxResultBytes) {
    const detail = `result: ${ports.config.maxResultBytes} bytes reached`
    return {
      ...acted,
      status: 'limit',
      detail,
      result: toolError(
        `The result is too large: ${bytes} bytes, and ${ports.config.maxResultBytes} are allowed (gateway.maxResultBytes).`,
      ),
    }
  }
  const schema = entry.kind === 'tool' ? entry.outputSchema : null
  if (schema === null) return acted
  const structured = acted.result.structuredContent
  const problems =
    structured === undefined
      ? [{ path: '', message: 'there is no structuredContent' }]
      : ports.schemas.check(schema, structured)
  if (problems.length === 0) return acted
  const sentences = problems.slice(0, 5).map(({ path, message }) => `${path === '' ? 'the result' : path}: ${message}`)
  return {
    ...acted,
    status: 'tool-error',
    detail: 'the result broke the output schema',
    result: toolError(
      `The tool returned something that breaks its own output schema, so it is withheld. ${sentences.join('; ')}.`,
    ),
  }
}

function toolError(text: string): JsonObject {
  return { content: [{ type: 'text', text }], isError: true }
}
