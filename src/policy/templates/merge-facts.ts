import { parseDocument, type Document } from 'yaml'
import { canonicalJson, isJsonObject, type JsonObject } from '../../kernel/index.ts'
import { factsFileName } from '../facts/facts-file.ts'
import { positionedYaml } from '../facts/positioned-yaml.ts'
import type { PolicySource } from '../policy-engine.ts'
import type { TemplateFacts } from './policy-template.ts'

/** The file of facts with those of a template in it, or why they cannot be put there. */
export type MergedFacts =
  | { readonly ok: true; readonly file: PolicySource }
  | { readonly ok: false; readonly problems: readonly string[] }

const emptyFile = '# What policies know of the arguments of calls beyond their types.\nfacts: {}\n'

/**
 * Adds bindings to the file of facts; what stands there stays, comments too. A fact that is bound in the same way
 * already is left alone, one that is bound in another way is a problem. `null` for a file that is not there yet.
 */
export function mergeFacts(text: string | null, wanted: TemplateFacts): MergedFacts {
  const before = text ?? emptyFile
  const read = positionedYaml(before)
  const bound = read.ok && isJsonObject(read.value) && isJsonObject(read.value.facts) ? read.value.facts : null
  if (!read.ok || bound === null)
    return { ok: false, problems: [`${factsFileName} cannot be read: mend it first (mcpworks policy check)`] }
  const document = parseDocument(before)
  const problems: string[] = []
  for (const [tool, facts] of Object.entries(wanted.facts)) {
    const there = bound[tool]
    for (const [name, binding] of Object.entries(facts)) {
      const same = isJsonObject(there) ? there[name] : undefined
      if (same === undefined) setBlock(document, ['facts', tool, name], binding)
      else if (canonicalJson(same) !== canonicalJson(binding))
        problems.push(`${factsFileName} binds the fact "${name}" of ${tool} in another way already`)
    }
  }
  if (wanted.currency !== null) problems.push(...setCurrency(document, read.value as JsonObject, wanted.currency))
  if (problems.length > 0) return { ok: false, problems }
  return { ok: true, file: { file: factsFileName, text: document.toString({ lineWidth: 0, singleQuote: true }) } }
}

function setCurrency(document: Document, file: JsonObject, currency: string): string[] {
  const there = isJsonObject(file.spend) ? file.spend.currency : undefined
  if (there === undefined) document.setIn(['spend'], document.createNode({ currency }))
  else if (there !== currency) return [`${factsFileName} counts what calls spend in ${JSON.stringify(there)}`]
  return []
}

/** Sets a member in lines of its own, also where the map around it was written as `{}`. */
function setBlock(document: Document, path: readonly string[], value: JsonObject): void {
  document.setIn(path, document.createNode(value))
  for (let length = 1; length < path.length; length += 1) {
    const around = document.getIn(path.slice(0, length), true)
    if (typeof around === 'object' && around !== null && 'flow' in around) around.flow = false
  }
}
