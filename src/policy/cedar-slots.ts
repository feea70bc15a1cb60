import { preparsePolicySet, preparseSchema, type SchemaJson } from './cedar.ts'
import type { PreparedRequest } from './prepared-request.ts'
import { PreparsedSlots } from './preparsed-slots.ts'
import type { ParsedPolicy } from './policy-set.ts'

/** Policies that are kept parsed, summed over the slots; a policy in two slices counts twice. */
const policyLimit = 50_000
const schemaLimit = 512

/** Cedar's parsed policies and schemas of one engine, under names that no other engine of the process uses. */
export class CedarSlots {
  readonly #policies: PreparsedSlots<readonly ParsedPolicy[]>
  readonly #schemas: PreparsedSlots<SchemaJson<string>>

  constructor(engineId: string) {
    this.#policies = new PreparsedSlots(
      `${engineId}/policies/`,
      policyLimit,
      (name, policies) =>
        preparsePolicySet(name, { staticPolicies: Object.fromEntries(policies.map(({ id, text }) => [id, text])) }),
      (name) => preparsePolicySet(name, { staticPolicies: {} }),
    )
    this.#schemas = new PreparsedSlots(
      `${engineId}/schemas/`,
      schemaLimit,
      (name, schema) => preparseSchema(name, schema),
      (name) => preparseSchema(name, {}),
    )
  }

  policiesName(prepared: PreparedRequest): string {
    // A slot has a cost of its own, so that many small slices are bounded too.
    return this.#policies.nameOf(prepared.judging().policiesKey, () => prepared.policies, prepared.policies.length + 25)
  }

  schemaName(prepared: PreparedRequest): string {
    const { schemaKey, schema } = prepared.judging()
    return this.#schemas.nameOf(schemaKey, schema)
  }
}
