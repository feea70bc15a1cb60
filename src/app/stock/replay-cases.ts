import type { JsonObject } from '../../kernel/index.ts'
import { McpworksError } from '../../kernel/index.ts'
import { decisionCasesSchema, type DecisionCases } from './decision-cases.ts'
import { judgeCases, type JudgedCase } from './judge-cases.ts'
import { prepareCase } from './prepare-case.ts'
import { writeCaseFiles } from './write-case-files.ts'

/**
 * Makes the decisions of an answer of `audit.cases` again with stock Cedar, on this machine and without trusting the
 * server's word: everything is held against the digests in the records.
 * @throws McpworksError `internal` for an answer of another form, or where stock Cedar gives none
 */
export async function replayCases(answer: JsonObject): Promise<JudgedCase[]> {
  return judgeCases(casesOf(answer))
}

/** Writes the one decision of an answer as files for stock Cedar; see `writeCaseFiles`. `null` where it cannot be made again. */
export async function writeCase(
  directory: string,
  answer: JsonObject,
  proof: JsonObject | null,
): Promise<readonly string[] | null> {
  const cases = casesOf(answer)
  const [first] = cases.cases
  const prepared = first === undefined ? null : prepareCase(first, cases)
  return prepared?.kind === 'ready' ? await writeCaseFiles(directory, prepared, proof) : null
}

function casesOf(answer: JsonObject): DecisionCases {
  const parsed = decisionCasesSchema.safeParse(answer)
  if (!parsed.success)
    throw new McpworksError('internal', { message: 'The server answered something else than decisions.' })
  return parsed.data
}
