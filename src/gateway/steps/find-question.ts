import type { ApprovalQuestion, Approvals } from '../../approvals/index.ts'
import type { IdentifiedCall } from '../call.ts'

/** The call that waits, where that is what somebody decides on; `null` for every other effect, and where there is none. */
export async function findQuestion(
  { effect, namespace }: IdentifiedCall,
  approvals: Pick<Approvals, 'about'>,
): Promise<ApprovalQuestion | null> {
  if (effect.kind !== 'approve') return null
  const { approval } = effect.arguments
  return typeof approval === 'string' ? approvals.about(namespace, approval) : null
}
