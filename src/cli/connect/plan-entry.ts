import { isDeepStrictEqual } from 'node:util'
import { isJsonObject, type JsonObject } from '../../kernel/index.ts'
import type { ConnectClient, Endpoint } from './connect-client.ts'
import { editJsonc, objectOf, readJsonc } from './edit-jsonc.ts'
import type { EditOutcome } from './edit-outcome.ts'
import { editTomlTable, readToml, removeTomlTable } from './edit-toml.ts'

/** What would become of a configuration file. */
export type PlannedEntry =
  | {
      readonly ok: true
      readonly text: string
      /** URL or command of an entry that has the name and is not of this endpoint; `null` where there is none. */
      readonly replaces: string | null
    }
  | { readonly ok: false; readonly problem: string; readonly line?: number; readonly column?: number }

const byteOrderMark = '\ufeff'

/** The text of the file with the entry as it has to be, or without it. Changes nothing else in it. */
export function planEntry(
  client: ConnectClient,
  text: string | null,
  endpoint: Endpoint,
  remove: boolean,
): PlannedEntry {
  const marked = text?.startsWith(byteOrderMark) === true
  const plain = marked ? (text ?? '').slice(1) : (text ?? '')
  const entryPath = [client.servers, endpoint.name]
  const read = client.format === 'toml' ? readToml(plain) : readJsonc(plain, entryPath)
  if (!read.ok) return read
  const found = read.value(entryPath)
  const replaces = found === undefined ? null : strangerIn(client, found, endpoint)
  const edited = client.format === 'toml' ? toml : jsonc
  const outcome = edited({
    client,
    text: plain,
    endpoint,
    remove,
    found: found !== undefined,
    stranger: replaces !== null,
  })
  return outcome.ok ? { ok: true, text: `${marked ? byteOrderMark : ''}${outcome.text}`, replaces } : outcome
}

interface Edit {
  readonly client: ConnectClient
  readonly text: string
  readonly endpoint: Endpoint
  readonly remove: boolean
  readonly found: boolean
  readonly stranger: boolean
}

function jsonc(edit: Edit): EditOutcome {
  const { client, text, endpoint, remove, found, stranger } = edit
  const entryPath = [client.servers, endpoint.name]
  const listed = client.listed?.(endpoint) ?? []
  const settings = client.settings(endpoint)
  const outcome = remove
    ? editJsonc(
        text,
        [{ path: entryPath, value: undefined }],
        listed.map((setting) => ({ ...setting, value: undefined })),
      )
    : !found || stranger
      ? editJsonc(text, [{ path: entryPath, value: objectOf(settings) }], listed)
      : editJsonc(
          text,
          settings.map(({ path, value }) => ({ path: [...entryPath, ...path], value })),
          listed,
        )
  if (!outcome.ok || isDeepStrictEqual(othersIn(edit, text), othersIn(edit, outcome.text))) return outcome
  return { ok: false, problem: 'the file is written in a way that cannot be changed safely' }
}

/** All that the file holds besides what is ours. */
function othersIn({ client, endpoint }: Edit, text: string): JsonObject | null {
  const read = readJsonc(text, [])
  const value = read.ok ? read.value([]) : null
  if (!isJsonObject(value)) return null
  const servers = value[client.servers]
  if (isJsonObject(servers)) delete servers[endpoint.name]
  if (isJsonObject(servers) && Object.keys(servers).length === 0) delete value[client.servers]
  for (const { list, id } of client.listed?.(endpoint) ?? []) {
    const elements = value[list]
    if (!Array.isArray(elements)) continue
    const others = elements.filter((element) => !isJsonObject(element) || element.id !== id)
    if (others.length === 0) delete value[list]
    else value[list] = others
  }
  return value
}

function toml({ client, text, endpoint, remove, stranger }: Edit): EditOutcome {
  const table = [client.servers, endpoint.name]
  const cleared: EditOutcome = remove || stranger ? removeTomlTable(text, table) : { ok: true, text }
  return remove || !cleared.ok ? cleared : editTomlTable(cleared.text, table, client.settings(endpoint))
}

/** What an entry leads to that is not this endpoint; `null` where it leads here. */
function strangerIn({ urlMember }: ConnectClient, entry: unknown, { url }: Endpoint): string | null {
  if (!isJsonObject(entry)) return 'something that is no entry'
  const found = entry[urlMember]
  if (found === url && entry.command === undefined) return null
  return typeof found === 'string'
    ? found
    : typeof entry.command === 'string'
      ? entry.command
      : 'another kind of server'
}
