import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/index.ts'
import { openBundleTarget } from '../../storage/index.ts'
import type { StockId } from '../../policy/index.ts'
import { caseReadme } from './case-readme.ts'
import type { PreparedCase } from './prepare-case.ts'

/**
 * Writes one decision as files for somebody who has stock Cedar and nothing of ours. `proof` is the answer of
 * `audit.prove`, where there is one.
 * @throws McpworksError `storage_unavailable` where the directory is not empty or cannot be written
 */
export async function writeCaseFiles(
  directory: string,
  prepared: PreparedCase & { readonly kind: 'ready' },
  proof: JsonObject | null,
): Promise<readonly string[]> {
  const { question, recorded, record, salt, engineInput, sources, builtIn } = prepared
  const { policies, schema, entities, principal, action, resource, context } = question
  const request = {
    principal: cedarId(principal),
    action: cedarId(action),
    resource: cedarId(resource),
    context,
  }
  const texts = policies.map(({ id, text, textHash }) => `// ${oneLine(id)}  ${textHash}\n${text}\n`)
  const names = new Map(
    policies.map(({ id, name }, position) => [id, { cedar: name ?? `policy${position}`, place: `policy${position}` }]),
  )
  const expected = {
    decision: recorded.decision.effect === 'allow' ? 'ALLOW' : 'DENY',
    determining: recorded.decision.determining.map(({ id, effect, text_hash }) => ({
      id,
      cedar: names.get(id)?.cedar ?? null,
      place: names.get(id)?.place ?? null,
      effect,
      text_hash,
    })),
    basis: recorded.decision.basis,
    errors: recorded.decision.errors,
    engine: recorded.decision.engine,
  }
  const files = new Map([
    ['README.md', caseReadme(prepared, proof !== null)],
    ['policies.cedar', texts.join('\n')],
    ['entities.json', pretty(JSON.parse(JSON.stringify(entities)) as JsonValue)],
    ['request.json', pretty(JSON.parse(JSON.stringify(request)) as JsonValue)],
    ['expected.json', pretty(JSON.parse(JSON.stringify(expected)) as JsonValue)],
    ['record.json', record],
    ['policy-set.json', pretty({ builtIn, files: sources })],
    ['engine-input.json', engineInput],
    ['engine-input.salt', salt],
    ...(schema === null ? [] : [['schema.json', pretty(schema)] as const]),
    ...(proof === null ? [] : [['proof.json', pretty(proof)] as const]),
  ])
  const target = await openBundleTarget(directory)
  for (const [path, content] of files) await target.write(path, content)
  return [...files.keys()]
}

/** An entity as Cedar writes it, such as `Agent::"demo/analyst"`. Everything but plain ASCII is escaped. */
function cedarId({ type, id }: StockId): string {
  const escaped = id.replace(/[^ !#-[\]-~]/gu, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`)
  return `${type}::"${escaped}"`
}

/** Ids come from file names and annotations that were checked; a comment must be one line all the same. */
function oneLine(id: string): string {
  return id.replaceAll(/[^!-~ ]/gu, '?')
}

function pretty(value: JsonValue): string {
  return `${JSON.stringify(isJsonObject(value) || Array.isArray(value) ? value : {}, null, 1)}\n`
}
