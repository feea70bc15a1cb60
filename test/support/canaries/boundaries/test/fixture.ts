import { digest } from '../src/kernel/index.ts'

export type Fixture = string
export const fixture = digest
