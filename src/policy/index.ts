export type { FindingKind, PolicyAnalysis, PolicyFinding } from './analysis/policy-analysis.ts'
export { ordinaryArguments } from './analysis/ordinary-arguments.ts'
export type { AccessAnswer, AccessObstacle, AccessQuestion } from './analysis/access-answer.ts'
export type {
  CallUsage,
  DecisionBasis,
  DerivedFacts,
  DeterminingPolicy,
  Door,
  PolicyAction,
  PolicyDecision,
  PolicyRequest,
  Requester,
  ResourceType,
  UsageFigures,
} from './decision.ts'
export type {
  ConditionText,
  Explanation,
  MisfitRule,
  PolicyCheck,
  PolicyEngine,
  PolicyProblem,
  PolicySource,
  PolicyVocabulary,
  ToolAccess,
  VisibilityQuestion,
} from './policy-engine.ts'
export type { PolicyStore, StoredPolicySet } from './policy-store.ts'
export type { ShadowPolicies, ShadowStore } from './shadow-store.ts'
export { builtInPolicies, builtInRoles } from './built-in-policies.ts'
export { factsOfCall, type FactsOfCall, type ToldFact } from './facts/facts-of-call.ts'
export { compileRules, type RuleFault, type RuleOrigin } from './compile-rules.ts'
export { createFieldNames } from './field-names.ts'
export { folded } from './folded-text.ts'
export { mergeObligations, type Duties } from './merge-obligations.ts'
export { forcedProfiles, parseObligations, type ForcedProfile } from './obligation.ts'
export { factsFileName } from './facts/facts-file.ts'
export { fillTemplate, templateExample } from './templates/fill-template.ts'
export { parameterKinds } from './templates/parameter-kinds.ts'
export { policyTemplates } from './templates/policy-templates.ts'
export type { PolicyTemplate, TemplateParameter } from './templates/policy-template.ts'
export { rulesFileSchema } from './rules-file.ts'
export { createCedarPolicyEngine } from './create-cedar-policy-engine.ts'
export { requestFromRecord, type RecordedRequest } from './recorded-request.ts'
export { policySetHash } from './parse-policies.ts'
export {
  stockQuestion,
  type RecordedPolicies,
  type StockId,
  type StockPolicy,
  type StockQuestion,
  type StockTool,
} from './stock-question.ts'
export { recordedUsageSchema } from './recorded-usage.ts'
