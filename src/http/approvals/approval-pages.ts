import type { GatewayAnswer } from '../../gateway/index.ts'
import { isJsonObject, type Caller, type JsonObject, type JsonValue } from '../../kernel/index.ts'
import { html, type Html } from '../sign-in/html.ts'
import type { PageAnswer } from '../sign-in/page-answer.ts'
import { textField, type PageVisit } from '../sign-in/visit.ts'
import { requestPath, type ApprovalPages } from './approval-page-parts.ts'

/** A person at a request. */
interface Way {
  readonly visit: PageVisit
  readonly caller: Caller
  readonly namespace: string
  readonly approval: string
  /** What the form sends back, so that no other page can send it. */
  readonly csrf: string
}

type Asked = 'approval.list' | 'approval.show' | 'approval.approve' | 'approval.deny'

/** What waits, in all namespaces in which the person may list it. */
export async function listPage(caller: Caller, pages: ApprovalPages): Promise<PageAnswer> {
  const found: Html[] = []
  for (const namespace of pages.namespacesOf(caller)) {
    const answer = await perform('approval.list', caller, { namespace, all: false }, pages)
    for (const one of answer.status === 'ok' ? objects(answer.result.approvals) : []) found.push(row(namespace, one))
  }
  const list = html`<ul class="rows">
    ${found}
  </ul>`
  return {
    kind: 'page',
    status: 200,
    title: 'Calls that wait for a person',
    body: html`<section>${found.length === 0 ? html`<p class="soft">None that you may see.</p>` : list}</section>`,
  }
}

function row(namespace: string, one: JsonObject): Html {
  const path = requestPath.replace('{namespace}', namespace).replace('{approval}', String(one.id))
  return html`<li>
    <span
      >${seen(one.tool)} for ${seen(one.requester)}<br /><small
        >${seen(one.status)}, asked ${time(one.requestedAtMs)}, until ${time(one.expiresAtMs)}</small
      ></span
    >
    <a href="${path}">Look</a>
  </li>`
}

/** One request with the whole call, and the form to decide. */
export async function requestPage(way: Way, pages: ApprovalPages): Promise<PageAnswer> {
  const { caller, namespace, approval } = way
  const answer = await perform('approval.show', caller, { namespace, approval }, pages)
  const shown = answer.status === 'ok' && isJsonObject(answer.result.approval) ? answer.result.approval : null
  if (shown === null) return refusedPage(answer)
  const text = typeof shown.argumentsText === 'string' ? shown.argumentsText : 'They are in the decision log.'
  return {
    kind: 'page',
    status: 200,
    title: `${seen(shown.requester)} asks to call ${seen(shown.tool)}`,
    body: html`<section>
        <ul class="rows">
          ${fact('You are', caller.principal.id)} ${fact('Request', `${seen(shown.id)} in ${namespace}`)}
          ${fact('Status', seen(shown.status))}
          ${fact('Asked by', [shown.requester, ...list(shown.actors)].map(seen).join(', used by '))}
          ${fact('Tool', `${seen(shown.tool)} of ${seen(shown.service)}, by the ${seen(shown.door)} door`)}
          ${fact('Because of', [...list(shown.rules), ...list(shown.reasons)].map(seen).join(' - '))}
          ${fact('Asked', time(shown.requestedAtMs))} ${fact('Until', time(shown.expiresAtMs))}
        </ul>
        <h2>Its arguments</h2>
        <pre>${text}</pre>
      </section>
      ${decision(way, shown)}`,
  }
}

function decision({ csrf }: Way, { status, toolIsUnchanged }: JsonObject): Html {
  if (status !== 'pending') return html`<p>There is nothing to decide any more.</p>`
  const changed = html`<p role="alert">
    The tool has changed since. The call cannot be approved; it has to be made anew.
  </p>`
  return html`<section>
    <form method="post">
      <input type="hidden" name="csrf" value="${csrf}" />
      <label for="comment">Why (told to whoever asked, and kept)</label>
      <input id="comment" name="comment" maxlength="500" autocomplete="off" />
      ${
        toolIsUnchanged === true
          ? html`<button name="decision" value="approve">Approve this call, once</button>`
          : changed
      }
      <button class="quiet" name="decision" value="deny">Deny it</button>
    </form>
  </section>`
}

/** Decides as the form says. */
export async function answerPage(way: Way, pages: ApprovalPages): Promise<PageAnswer> {
  const { visit, caller, namespace, approval } = way
  const asked = textField(visit.fields, 'decision')
  if (asked !== 'approve' && asked !== 'deny')
    return {
      kind: 'page',
      status: 400,
      title: 'That did not work',
      body: html`<p>Say whether to approve or deny it.</p>`,
    }
  const comment = textField(visit.fields, 'comment').trim()
  const answer = await perform(`approval.${asked}`, caller, { namespace, approval, comment }, pages)
  const decided = answer.status === 'ok' && isJsonObject(answer.result.approval) ? answer.result.approval : null
  if (decided === null) return refusedPage(answer)
  const until = time(decided.expiresAtMs)
  const sentence =
    asked === 'approve'
      ? `The call can be made once, until ${until}, when it is made again.`
      : `The same call asks nobody again until ${until}.`
  return {
    kind: 'page',
    status: 200,
    title: asked === 'approve' ? 'Approved' : 'Denied',
    body: html`<p>${sentence}</p>`,
  }
}

function refusedPage(answer: GatewayAnswer): PageAnswer {
  const sentence = 'message' in answer ? answer.message : 'It was refused.'
  const status = answer.status === 'unavailable' ? 503 : answer.status === 'protocol-error' ? 409 : 403
  return { kind: 'page', status, title: 'That did not work', body: html`<p>${sentence}</p>` }
}

function perform(
  operation: Asked,
  caller: Caller,
  args: JsonObject,
  { gateway }: ApprovalPages,
): Promise<GatewayAnswer> {
  const kind = operation === 'approval.list' ? 'manage' : 'approve'
  return gateway.perform(
    {
      caller,
      namespace: String(args.namespace),
      door: 'console',
      effect: { kind, operation, arguments: args },
      facts: { method: operation, protocolVersion: null, requestId: null, trace: null, clientCapabilities: {} },
    },
    { signal: new AbortController().signal, log: () => {}, progress: () => {} },
  )
}

function fact(label: string, value: string): Html {
  return html`<li><span>${label}</span><span>${value}</span></li>`
}

function objects(value: JsonValue | undefined): JsonObject[] {
  return list(value).filter(isJsonObject)
}

function list(value: JsonValue | undefined): JsonValue[] {
  return Array.isArray(value) ? value : []
}

/** Names and sentences of others, with what would not be seen shown as an escape. */
function seen(value: JsonValue | undefined): string {
  return String(value).replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) => {
    return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`
  })
}

function time(value: JsonValue | undefined): string {
  return typeof value === 'number' ? `${new Date(value).toISOString().slice(0, 16).replace('T', ' ')} UTC` : '-'
}
