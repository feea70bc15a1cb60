import { parseDesiredState, readDesiredDirectory, type SourceProblem } from '../functions/index.ts'
import type { JsonObject } from '../kernel/index.ts'

/** A directory ready to be sent to the server, or what is wrong with it. */
export type ReadDesiredState =
  | { readonly ok: true; readonly namespace: string; readonly files: JsonObject[] }
  | { readonly ok: false; readonly problems: readonly SourceProblem[] }

/** Reads a desired-state directory and checks its form, so that mistakes show before anything is sent. */
export async function readDesiredState(directory: string): Promise<ReadDesiredState> {
  const read = await readDesiredDirectory(directory)
  if (!read.ok) return read
  const parsed = parseDesiredState(read.state)
  if (!parsed.ok) return parsed
  return { ok: true, namespace: parsed.state.namespace, files: read.state.files.map((file) => ({ ...file })) }
}
