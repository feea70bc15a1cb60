/**
 * The one place that touches the Cedar WebAssembly module.
 *
 * The module is one instance per process with a fixed 1 MB stack: a trap inside it (too deep an expression) leaves it
 * unusable until the process ends, and every later call throws. Whatever is handed to it must therefore be bounded
 * beforehand: policy texts by `policy-limits.ts`, arguments by `argument-guard.ts`.
 */
export {
  getCedarVersion,
  isAuthorized,
  policyToJson,
  policyToText,
  preparsePolicySet,
  preparseSchema,
  statefulIsAuthorized,
  validate,
} from '@cedar-policy/cedar-wasm/nodejs'
export type {
  AuthorizationAnswer,
  CedarValueJson,
  Clause,
  Context,
  DetailedError,
  EntityJson,
  Expr,
  PolicyJson,
  SchemaJson,
  StatefulAuthorizationCall,
  TypeAndId,
} from '@cedar-policy/cedar-wasm/nodejs'
