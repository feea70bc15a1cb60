import {
  isAuthorized,
  preparsePolicySet,
  preparseSchema,
  statefulIsAuthorized,
  type AuthorizationAnswer,
  type StatefulAuthorizationCall,
} from '@cedar-policy/cedar-wasm/nodejs'
import { argumentType } from '../../../src/policy/argument-type.ts'
import { validationSchema } from '../../../src/policy/cedar-schema.ts'
import { builtInPolicies } from '../../../src/policy/index.ts'
import { inputSchema } from './leads-namespace.ts'

/** One request as Cedar gets it: an engine input that was parsed. */
export type PlainInput = Omit<
  StatefulAuthorizationCall,
  'preparsedPolicySetId' | 'preparsedSchemaName' | 'validateRequest'
>

const schema = validationSchema(argumentType(inputSchema(0)).type)

/** Cedar by itself with everything parsed beforehand, over a whole set, on recorded engine inputs. */
export function parsedCedar(name: string, policies: string): (input: PlainInput) => void {
  const prepared = [
    preparseSchema(name, schema),
    preparsePolicySet(name, { staticPolicies: builtInPolicies + policies }),
  ]
  if (prepared.some(({ type }) => type !== 'success')) throw new Error('the baseline was not prepared')
  return (input) =>
    allowed(
      statefulIsAuthorized({
        ...input,
        preparsedSchemaName: name,
        preparsedPolicySetId: name,
        validateRequest: true,
      }),
    )
}

/** Cedar as its manual begins: the whole set and the schema with every request. */
export function plainCedar(policies: string): (input: PlainInput) => void {
  const staticPolicies = builtInPolicies + policies
  return (input) =>
    allowed(
      isAuthorized({
        ...input,
        policies: { staticPolicies },
        schema,
        validateRequest: true,
      }),
    )
}

function allowed(answer: AuthorizationAnswer): void {
  if (answer.type !== 'success' || answer.response.decision !== 'allow') throw new Error('the baseline denied')
}
