import type { z } from 'zod'
import { agentOperations } from './agent-operations.ts'
import { analysisOperations } from './analysis-operations.ts'
import { approvalOperations } from './approval-operations.ts'
import { auditOperations } from './audit-operations.ts'
import { clientOperations } from './client-operations.ts'
import { factOperations } from './fact-operations.ts'
import { functionOperations } from './function-operations.ts'
import { logOperations } from './log-operations.ts'
import { namespaceOperations } from './namespace-operations.ts'
import type { Operation } from './operation.ts'
import { policyOperations } from './policy-operations.ts'
import { quarantineOperations } from './quarantine-operations.ts'
import { recordingOperations } from './recording-operations.ts'
import { replayOperations } from './replay-operations.ts'
import { searchOperations } from './search-operations.ts'
import { templateOperations } from './template-operations.ts'
import { upstreamOperations } from './upstream-operations.ts'
import { userOperations } from './user-operations.ts'

/** The management API, as data: HTTP routes, CLI commands and documentation are made from it. */
export const operations = {
  ...namespaceOperations,
  ...functionOperations,
  ...agentOperations,
  ...clientOperations,
  ...userOperations,
  ...policyOperations,
  ...factOperations,
  ...templateOperations,
  ...analysisOperations,
  ...replayOperations,
  ...approvalOperations,
  ...auditOperations,
  ...quarantineOperations,
  ...searchOperations,
  ...logOperations,
  ...recordingOperations,
  ...upstreamOperations,
} satisfies Record<string, Operation>

/** Name of an operation of the management API. */
export type OperationName = keyof typeof operations

/** Input of an operation after validation. */
export type OperationInput<Name extends OperationName> = z.output<(typeof operations)[Name]['input']>
