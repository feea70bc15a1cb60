export type { Operation } from './operation.ts'
export { operations, type OperationInput, type OperationName } from './operations.ts'
