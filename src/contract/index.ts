export { firstTree } from './log-operations.ts'
export type { Operation, OperationFile } from './operation.ts'
export { operations, type OperationInput, type OperationName } from './operations.ts'
export { policyCase, type PolicyCase } from './policy-case.ts'
