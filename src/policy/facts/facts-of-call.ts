import type { Digest, JsonObject } from '../../kernel/index.ts'
import { argumentFault } from '../argument-guard.ts'
import type { CedarValueJson } from '../cedar.ts'
import type { PolicyProblem, PolicySource, PolicyVocabulary } from '../policy-engine.ts'
import { ToolVocabulary } from '../tool-vocabulary.ts'
import { deriveFacts } from './derive-facts.ts'
import { factsFileName, noFacts, readFactsFile } from './facts-file.ts'

/** One fact of a call, for people who write bindings. */
export interface ToldFact {
  readonly name: string
  readonly extract: string
  readonly from: readonly string[]
  /** As policies see it; `null` where there is none. */
  readonly value: CedarValueJson | null
  /** What records keep of it in the clear. */
  readonly open: CedarValueJson | null
  /** Why there is none; `null` too where its argument is not given. */
  readonly problem: string | null
}

/** The facts of one call, or what is wrong with the file that binds them. */
export type FactsOfCall =
  | {
      readonly ok: true
      readonly facts: readonly ToldFact[]
      /** Of what the call spends; `null` where nothing says so. */
      readonly spend: { readonly minor: number; readonly currency: string; readonly problem: string | null } | null
      readonly extractorHash: Digest | null
      /** What is wrong with the arguments as a whole, so that nothing is derived from them. */
      readonly fault: string | null
    }
  | { readonly ok: false; readonly problems: readonly PolicyProblem[] }

/**
 * Derives the facts of a call as deciding it would, without deciding it. `tool` is the name as agents see it; for a tool
 * that nothing is bound to, there are no facts. Does not check the arguments against the tool's schema.
 */
export function factsOfCall(
  sources: readonly PolicySource[],
  vocabulary: PolicyVocabulary,
  tool: string,
  args: JsonObject,
): FactsOfCall {
  const text = sources.find(({ file }) => file === factsFileName)?.text
  const { facts: file, problems } = text === undefined ? { facts: noFacts, problems: [] } : readFactsFile(text)
  const { tools, factProblems } = new ToolVocabulary(vocabulary, file)
  const bound = tools.get(`${vocabulary.namespace}/${tool}`)?.facts
  if (problems.length + factProblems.length > 0) return { ok: false, problems: [...problems, ...factProblems] }
  const fault = argumentFault(args)
  if (bound === undefined || fault !== null) return { ok: true, facts: [], spend: null, extractorHash: null, fault }
  const told = deriveFacts(args, bound)
  const facts = bound.bindings.map(({ name, extractor, from }) => ({
    name,
    extract: extractor.name,
    from,
    value: told.values[name] ?? null,
    open: told.open[name] ?? null,
    problem: told.faults.get(name) ?? null,
  }))
  const { currency, extractorHash } = bound
  const spend = currency === null ? null : { minor: told.spend, currency, problem: told.spendFault }
  return { ok: true, facts, spend, extractorHash, fault: null }
}
