import type { JsonObject } from '../../kernel/index.ts'
import type { CedarValueJson } from '../cedar.ts'
import type { FactBinding } from './facts-file.ts'
import type { FactInput } from './extractor.ts'
import type { ToolFacts } from './tool-facts.ts'

/** The facts of one call, as the engine gets them. */
export interface CallFacts {
  readonly values: { readonly [name: string]: CedarValueJson }
  /** What of them may stand in the clear. */
  readonly open: JsonObject
  /** Facts that there are none of, each with a sentence that names fact and argument, and no value. */
  readonly faults: ReadonlyMap<string, string>
  /** What the call spends, in the minor unit of the currency; 0 where nothing says so. */
  readonly spend: number
  /** Why that cannot be told: the call must be denied then, whatever policies read. */
  readonly spendFault: string | null
}

const none: CallFacts = { values: {}, open: {}, faults: new Map(), spend: 0, spendFault: null }

/** Derives every fact of a call. Pure; time is linear in the size of the arguments. Null members count as absent. */
export function deriveFacts(args: JsonObject, facts: ToolFacts): CallFacts {
  if (facts.bindings.length === 0) return none
  const values: Record<string, CedarValueJson> = {}
  const open: JsonObject = {}
  const faults = new Map<string, string>()
  let spend = 0
  let spendFault: string | null = null
  for (const binding of facts.bindings) {
    const { name, extractor, parameters } = binding
    const inputs = inputsOf(binding, args)
    if (inputs.length === 0) {
      if (extractor.whenAbsent === null) continue
      values[name] = extractor.whenAbsent.value
      open[name] = extractor.whenAbsent.open
      continue
    }
    const derived = extractor.extract(inputs, parameters)
    if (derived.ok) {
      values[name] = derived.value
      open[name] = derived.open
    } else {
      faults.set(name, `The fact "${name}" cannot be told: the argument "${derived.argument}" ${derived.problem}.`)
    }
    if (!binding.spend) continue
    const spent = spendOf(derived, facts.currency)
    if (spent === null)
      spendFault = faults.get(name) ?? `The fact "${name}" is in another currency than what calls spend here.`
    else spend = spent
  }
  return { values, open, faults, spend, spendFault }
}

function inputsOf({ from }: FactBinding, args: JsonObject): FactInput[] {
  const inputs: FactInput[] = []
  for (const argument of from) {
    const value = Object.hasOwn(args, argument) ? args[argument] : undefined
    if (value !== undefined && value !== null) inputs.push({ argument, value })
  }
  return inputs
}

function spendOf(derived: ReturnType<FactBinding['extractor']['extract']>, currency: string | null): number | null {
  if (!derived.ok || derived.money === undefined || derived.money.currency !== currency) return null
  // Money that comes back does not make room for more to be spent.
  return Math.max(0, derived.money.minor)
}
