import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/index.ts'
import type { Effect } from '../effect.ts'

/** What is done to the parts of a result. */
export interface PartMap {
  /** Structured content, and every member that MCP gives no meaning of its own. */
  readonly data: (value: JsonValue) => JsonValue
  /** Text for the agent: JSON or prose. */
  readonly text: (text: string) => string
  /** Whether pictures, sounds and links may stay: nobody can look into them. Other bytes never stay. */
  readonly keepsPictures: boolean
}

/** What stands in the place of something that nobody can look into. */
const withheldText = '[withheld: a policy lets only text through here]'
const withheldBlock: JsonObject = { type: 'text', text: withheldText }
const pictures = new Set(['image', 'audio', 'resource_link'])

/** A copy of the MCP result of an effect with each part mapped. Blocks keep their number and order. */
export function mapResult(kind: Effect['kind'], result: JsonObject, map: PartMap): JsonObject {
  switch (kind) {
    case 'call':
      return mapList(result, 'content', map, (block) => mapBlock(block, map))
    case 'read':
      return mapList(result, 'contents', map, (content) => mapContent(content, map))
    case 'prompt':
      return mapList(result, 'messages', map, (message) => {
        const { content, ...rest } = message
        return { ...dataOf(rest, map), content: isJsonObject(content) ? mapBlock(content, map) : withheldBlock }
      })
    case 'complete':
    case 'manage':
    case 'approve':
    case 'audit':
      return dataOf(result, map)
  }
}

function mapList(
  result: JsonObject,
  name: string,
  map: PartMap,
  mapOne: (member: JsonObject) => JsonObject,
): JsonObject {
  const { [name]: list, ...rest } = result
  const mapped = dataOf(rest, map)
  if (list === undefined) return mapped
  const members = Array.isArray(list) ? list : [list]
  return { ...mapped, [name]: members.map((member) => (isJsonObject(member) ? mapOne(member) : withheldBlock)) }
}

/** A content block of MCP. */
function mapBlock(block: JsonObject, map: PartMap): JsonObject {
  const { type, text, ...rest } = block
  if (type === 'text' && typeof text === 'string') return { type, text: map.text(text), ...dataOf(rest, map) }
  if (type === 'resource' && isJsonObject(rest['resource'])) {
    const { resource, ...others } = rest
    return { type, resource: mapContent(resource, map), ...dataOf(others, map) }
  }
  return map.keepsPictures && typeof type === 'string' && pictures.has(type) ? block : withheldBlock
}

/** The content of a resource: text, or bytes that nobody can look into. */
function mapContent(content: JsonObject, map: PartMap): JsonObject {
  const { text, blob: _, ...rest } = content
  return { ...dataOf(rest, map), text: typeof text === 'string' ? map.text(text) : withheldText }
}

function dataOf(object: JsonObject, map: PartMap): JsonObject {
  const mapped = map.data(object)
  return isJsonObject(mapped) ? mapped : {}
}
