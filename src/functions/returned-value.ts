import { isJsonObject, type JsonObject, type JsonValue } from '../kernel/index.ts'
import { isWrapped } from './output-schema.ts'

/**
 * What a tool returned, for code that called it: the structured content, without the wrapping that `wrapOutputSchema` put
 * around what is no object; else its text. `outputSchema` is that of the tool's definition. Images and the like are left out.
 */
export function returnedValue(result: JsonObject, outputSchema: JsonObject | null): JsonValue {
  const { structuredContent } = result
  if (isJsonObject(structuredContent)) {
    return outputSchema !== null && isWrapped(outputSchema) ? (structuredContent['result'] ?? null) : structuredContent
  }
  return textOf(result)
}

/** The texts of a result, one after the other. */
export function textOf({ content }: JsonObject): string {
  if (!Array.isArray(content)) return ''
  return content
    .flatMap((part) => (isJsonObject(part) && typeof part['text'] === 'string' ? [part['text']] : []))
    .join('\n')
}
