import { afterUntrustedInput } from './after-untrusted-input.ts'
import { approval } from './approval.ts'
import { businessHours } from './business-hours.ts'
import type { PolicyTemplate } from './policy-template.ts'
import { rateLimit } from './rate-limit.ts'
import { readOnly } from './read-only.ts'
import { recipientsInside } from './recipients-inside.ts'
import { senderConstrained } from './sender-constrained.ts'
import { spendLimit } from './spend-limit.ts'

/** The templates that there are, in the order in which they are listed. */
export const policyTemplates: readonly PolicyTemplate[] = [
  readOnly,
  businessHours,
  recipientsInside,
  senderConstrained,
  spendLimit,
  rateLimit,
  afterUntrustedInput,
  approval,
]
