import { digestJson, nearestName, type Digest } from '../../kernel/index.ts'
import type { ArgumentType, CedarRecord, CedarType } from '../argument-type.ts'
import type { PolicyProblem } from '../policy-engine.ts'
import { extractorDigest } from './extractor.ts'
import type { FactBinding } from './facts-file.ts'

/** The facts of one tool: what policies can name, and how each is derived. */
export interface ToolFacts {
  /** Type of `context.facts`. */
  readonly type: CedarRecord
  readonly bindings: readonly FactBinding[]
  /** Names exactly what the facts are made with; `null` where there are none. */
  readonly extractorHash: Digest | null
  /** ISO 4217 code of what the call spends; `null` where it spends nothing that is counted. */
  readonly currency: string | null
  /** Bindings that do not fit the tool's arguments, as `facts.yaml#tool.fact`: each call of the tool is denied. */
  readonly misfits: readonly string[]
}

/** Of a tool that nothing is bound to. */
export const noToolFacts: ToolFacts = {
  type: { type: 'Record', attributes: {} },
  bindings: [],
  extractorHash: null,
  currency: null,
  misfits: [],
}

/** Puts bindings and a tool's arguments together. What does not fit is reported, and left out of the type. */
export function bindFacts(
  bindings: readonly FactBinding[],
  tool: { readonly name: string; readonly arguments: ArgumentType },
  currency: string | null,
  report: (problem: PolicyProblem) => void,
): ToolFacts {
  const attributes: Record<string, CedarType & { required: boolean }> = {}
  const fitting: FactBinding[] = []
  const misfits: string[] = []
  for (const binding of bindings) {
    const problem = argumentProblem(binding, tool)
    if (problem !== null) {
      report(problem)
      misfits.push(`facts.yaml#${binding.tool}.${binding.name}`)
      continue
    }
    fitting.push(binding)
    attributes[binding.name] = { ...binding.extractor.type, required: isAlwaysThere(binding, tool.arguments) }
  }
  const made = fitting.map(({ name, extractor, parameters, from }) => ({
    digest: extractorDigest(extractor, parameters),
    from,
    name,
  }))
  return {
    type: { type: 'Record', attributes },
    bindings: fitting,
    extractorHash: fitting.length === 0 ? null : digestJson(made),
    currency: fitting.some(({ spend }) => spend) ? currency : null,
    misfits,
  }
}

function argumentProblem(
  binding: FactBinding,
  tool: { readonly name: string; readonly arguments: ArgumentType },
): PolicyProblem | null {
  const { type, invisible } = tool.arguments
  for (const [index, name] of binding.from.entries()) {
    const place = binding.from.length === 1 ? ['from'] : ['from', index]
    const argument = Object.hasOwn(type.attributes, name) ? type.attributes[name] : undefined
    if (argument === undefined && !invisible.has(name)) {
      const known = [...Object.keys(type.attributes), ...invisible.keys()]
      const near = nearestName(name, known)
      const list = known.sort().slice(0, 12).join(', ')
      const hint = near === null ? (list === '' ? null : `there are: ${list}`) : `did you mean "${near}"?`
      return binding.problemAt(place, `the tool "${tool.name}" has no argument "${name}"`, hint)
    }
    // What Cedar cannot type (text or a list of text, say) is judged when a call comes.
    if (argument !== undefined && !binding.extractor.reads(argument, binding.parameters, index))
      return binding.problemAt(
        place,
        `${binding.extractor.name} cannot read the argument "${name}": ${kindOf(argument)}`,
        null,
      )
  }
  return null
}

function isAlwaysThere({ extractor, from }: FactBinding, { type }: ArgumentType): boolean {
  return extractor.whenAbsent !== null || from.every((name) => type.attributes[name]?.required === true)
}

function kindOf(type: CedarType): string {
  switch (type.type) {
    case 'String':
      return 'it is text'
    case 'Long':
      return 'it is an integer'
    case 'Boolean':
      return 'it is true or false'
    case 'Extension':
      return 'it is a number'
    case 'Set':
      return type.element.type === 'String' ? 'it is a list of text' : 'it is a list of something else'
    case 'Record':
      return 'it is an object'
  }
}
