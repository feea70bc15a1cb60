export type { Approval, ApprovalStatus, WantedCall } from './approval.ts'
export type { ApprovalCounts, ApprovalStore, StoredVerdict } from './approval-store.ts'
export type { ApprovalEvent, ApprovalQuestion, Approvals, ShownApproval, Sought, Verdict } from './approvals.ts'
export { createApprovals, type ApprovalPorts } from './create-approvals.ts'
