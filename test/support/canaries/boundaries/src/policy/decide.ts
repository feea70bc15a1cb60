import { digest } from '../kernel/index.ts'
import { read } from '../kernel/read.ts' // expect: folder-policy
import type { Answer } from '../gateway/index.ts' // expect: folder-policy
import { missing } from './missing.ts' // expect: no-unresolvable

export type Decision = Answer
export const decide = [digest, read, missing]
