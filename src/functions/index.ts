export type { FunctionStore } from './function-store.ts'
export type { FunctionVersion } from './function-version.ts'
