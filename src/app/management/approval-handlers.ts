import { argumentsText, type Approval, type ApprovalLinks, type Approvals } from '../../approvals/index.ts'
import type { IdentityRegistry } from '../../auth/index.ts'
import { decidersOf, type Catalogue, type Invocation } from '../../gateway/index.ts'
import { McpworksError, type Caller, type JsonObject } from '../../kernel/index.ts'
import type { Handlers } from './handler.ts'

type ApprovalHandlers = Pick<
  Handlers,
  'approval.list' | 'approval.show' | 'approval.approve' | 'approval.deny' | 'approval.link'
>

/** What the approval handlers stand on. */
export interface ApprovalHandlerPorts {
  readonly approvals: Approvals
  readonly links: Pick<ApprovalLinks, 'make'>
  readonly registry: Pick<IdentityRegistry, 'findActivePrincipal'>
  readonly catalogue: Pick<Catalogue, 'resolve'>
  /** The address under which a link is opened. */
  readonly linkUrl: (token: string) => string
}

/** Calls that wait for a person. Who may decide was put to policy about the tool, with whose call it is. */
export function approvalHandlers({
  approvals,
  links,
  registry,
  catalogue,
  linkUrl,
}: ApprovalHandlerPorts): ApprovalHandlers {
  const isCurrent = ({ namespace, tool, definitionHash, codeHash }: Approval): boolean => {
    const entry = catalogue.resolve(namespace, 'tool', tool)
    return entry !== null && entry.definitionHash === definitionHash && entry.codeHash === codeHash
  }

  async function mustFind(namespace: string, id: string) {
    const found = await approvals.find(namespace, id)
    if (found !== null) return found
    throw new McpworksError('unknown_object', {
      message: `There is no request ${id} in ${namespace}. "mcpworks approval list" shows those that wait.`,
    })
  }

  async function decide(
    input: { readonly namespace: string; readonly approval: string; readonly comment: string },
    verdict: 'approved' | 'denied',
    { caller, call }: Invocation,
  ): Promise<JsonObject> {
    const { namespace, approval: id, comment } = input
    requireOwnLink(caller, namespace, id)
    const { approval } = await mustFind(namespace, id)
    if (verdict === 'approved' && approval.status === 'pending' && !isCurrent(approval)) {
      throw new McpworksError('changed_meanwhile', {
        message: `The tool ${approval.tool} has changed since the call was asked for. It has to be asked for again.`,
      })
    }
    const { principal, authentication, client } = caller
    const decided = await approvals.decide(namespace, id, {
      verdict,
      by: principal.id,
      deciders: decidersOf(caller),
      link: authentication.link === undefined ? null : authentication.credentialId,
      method: authentication.method,
      credentialId: authentication.credentialId,
      address: client.address,
      call,
      comment,
    })
    return { approval: approvalView(decided) }
  }

  return {
    async 'approval.list'({ namespace, all }) {
      return { approvals: (await approvals.list(namespace, !all)).map(approvalView) }
    },
    async 'approval.show'({ namespace, approval: id }, { caller }) {
      requireOwnLink(caller, namespace, id)
      const { approval, arguments: shown } = await mustFind(namespace, id)
      return {
        approval: {
          ...approvalView(approval),
          arguments: shown,
          argumentsText: shown === null ? null : argumentsText(shown),
          toolIsUnchanged: isCurrent(approval),
        },
      }
    },
    'approval.approve': (input, invocation) => decide(input, 'approved', invocation),
    'approval.deny': (input, invocation) => decide(input, 'denied', invocation),
    async 'approval.link'({ namespace, approval, user }, { caller, call }) {
      if (registry.findActivePrincipal(user)?.type !== 'user')
        throw new McpworksError('unknown_object', { message: `There is no user ${user} who is active.` })
      const { id: madeBy } = caller.principal
      const { token, expiresAtMs } = await links.make({ namespace, approval, userId: user, madeBy, call })
      return { user, link: linkUrl(token), linkExpiresAtMs: expiresAtMs }
    },
  }
}

/** @throws McpworksError `denied` for a caller whose link is for another request */
function requireOwnLink({ authentication: { link } }: Caller, namespace: string, approval: string): void {
  if (link === undefined || (link.namespace === namespace && link.approval === approval)) return
  throw new McpworksError('denied', { message: 'The link is for another request.' })
}

/** A request as lists show it. Nothing of what the call says. */
function approvalView(approval: Approval): JsonObject {
  const { requester } = approval
  return {
    id: approval.id,
    status: approval.status,
    requester: requester.id,
    actors: [...requester.actors],
    door: approval.door,
    tool: approval.tool,
    service: approval.service,
    definitionHash: approval.definitionHash,
    codeHash: approval.codeHash,
    rules: [...approval.rules],
    reasons: [...approval.reasons],
    call: approval.call,
    requestedAtMs: approval.requestedAtMs,
    expiresAtMs: approval.expiresAtMs,
    decidedBy: approval.decidedBy,
    decidedAtMs: approval.decidedAtMs,
    comment: approval.comment,
    spentAtMs: approval.spentAtMs,
    spentByCall: approval.spentByCall,
  }
}
