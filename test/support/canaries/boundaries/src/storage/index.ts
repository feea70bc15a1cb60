import type { Decision } from '../policy/index.ts'
import type { Fixture } from '../policy/decide.ts' // expect: storage-types
import { decide } from '../policy/index.ts' // expect: folder-storage
import { digest } from '../kernel/index.ts'
import { connect } from 'node:net'

export type Row = Decision | Fixture
export const store = [decide, digest, connect]
