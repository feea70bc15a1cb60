import { isJsonObject, type JsonObject, type JsonValue } from '../kernel/index.ts'

/** What the event of a record of kind `start` says, in a few words; `null` for an event of another form. */
export function startSentence(event: JsonObject): string | null {
  if (event['type'] === 'stopped') return 'the server stopped in good order'
  if (event['type'] !== 'started') return null
  const { version, node, system, database } = event
  const sandbox = objectOf(event['sandbox'])
  return [
    `version ${String(version)} started on ${String(system)} (Node ${String(node)}, ${String(database)}, ${String(sandbox['engine'])} ${String(sandbox['version'])})`,
    ...before(objectOf(event['before'])),
    ...(Number(event['abandoned']) > 0 ? [`calls left without an outcome: ${String(event['abandoned'])}`] : []),
  ].join('; ')
}

const endings: ReadonlyMap<unknown, string> = new Map([
  ['clean', 'the run before ended in good order'],
  ['broken', 'the run before BROKE OFF'],
  ['unknown', 'nothing is left that says how the run before ended'],
])

function before({ ended, record }: JsonObject): string[] {
  const words = endings.get(ended)
  return words === undefined ? [] : [`${words} (record ${String(record)})`]
}

function objectOf(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {}
}
