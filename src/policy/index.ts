export type {
  DecisionBasis,
  DeterminingPolicy,
  Door,
  PolicyAction,
  PolicyDecision,
  PolicyRequest,
  ResourceType,
} from './decision.ts'
export type {
  Explanation,
  PolicyCheck,
  PolicyEngine,
  PolicyProblem,
  PolicySource,
  PolicyVocabulary,
  VisibilityQuestion,
} from './policy-engine.ts'
export type { PolicyStore, StoredPolicySet } from './policy-store.ts'
