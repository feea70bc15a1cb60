import type { ConsentQuestion } from '../../auth/index.ts'
import { markup, type Markup } from './markup.ts'
import { page } from './page.ts'

/** What the page shows. */
export interface ConsentView {
  readonly question: ConsentQuestion
  /** Name of the person who is signed in. */
  readonly person: string
  /** The person's agents of the namespace, each with what it may call by policy as of now. */
  readonly agents: readonly { readonly id: string; readonly tools: readonly string[] }[]
  /** A name for a new agent; `null` where the person may not make one. */
  readonly newAgent: string | null
  readonly maxDays: number
  readonly csrf: string
  /** What was wrong with the answer before; `null` the first time. */
  readonly problem: string | null
}

const shownTools = 40
const daysOffered = [1, 7, 30, 90, 180, 366]

/** The page on which a person lets a client act as one of their agents, or does not. */
export function consentPage(view: ConsentView): string {
  const { question, agents, newAgent } = view
  const canAllow = agents.length > 0 || newAgent !== null
  const allow = markup`<button class="allow" name="decision" value="allow">Allow</button>`
  const cannot = markup`<p class="warn">You have no agent in the namespace ${question.namespace} and may not make one. Ask its owner for one.</p>`
  return page(
    'Let an application act for you?',
    markup`${view.problem === null ? [] : markup`<p class="warn" role="alert">${view.problem}</p>`}
<form method="post" autocomplete="off">
<input type="hidden" name="csrf" value="${view.csrf}">
<dl>
<dt>Application</dt><dd>${question.client.name} ${provenance(question)}</dd>
<dt>You are sent back to</dt><dd>${redirectHost(question)}</dd>
<dt>It asks for</dt><dd>scope mcp: to see and call the tools of the namespace ${question.namespace} as the agent below</dd>
<dt>You are</dt><dd>${view.person}</dd>
</dl>
${warning(question)}
${canAllow ? choice(view) : cannot}
<p>${canAllow ? allow : []}<button name="decision" value="deny">Refuse</button></p>
</form>
<p>Every call is decided by policy and recorded. You can end this at any time.</p>`,
  )
}

function choice({ agents, newAgent, maxDays }: ConsentView): Markup {
  const days = [...new Set([...daysOffered.filter((count) => count < maxDays), maxDays])]
  const chosen = days.findLast((count) => count <= 30) ?? days[0]
  return markup`<fieldset>
<legend>Act as which agent?</legend>
${agents.map((agent, index) => ownAgent(agent, index === 0))}${newAgent === null ? [] : anotherAgent(newAgent, agents.length === 0)}</fieldset>
<p><label>For how long? <select name="days">${days.map((count) => duration(count, count === chosen))}</select></label></p>`
}

function ownAgent({ id, tools }: ConsentView['agents'][number], isChosen: boolean): Markup {
  return markup`<p><label><input type="radio" name="agent" value="${id}"${checked(isChosen)}> ${id}</label></p>
<p class="tools">${toolsOf(tools)}</p>
`
}

function anotherAgent(name: string, isChosen: boolean): Markup {
  return markup`<p><label><input type="radio" name="agent" value="new"${checked(isChosen)}> a new agent named</label>
<input type="text" name="name" value="${name}" maxlength="40" pattern="[a-z][a-z0-9\\-]*[a-z0-9]" aria-label="name of the new agent"></p>
<p class="tools">May call what policy gives every agent of the namespace, and nothing else until policy says so.</p>
`
}

function duration(count: number, isChosen: boolean): Markup {
  const selected: Markup = { html: isChosen ? ' selected' : '' }
  return markup`<option value="${String(count)}"${selected}>${count === 1 ? '1 day' : `${count} days`}</option>`
}

function checked(isChosen: boolean): Markup {
  return { html: isChosen ? ' checked' : '' }
}

function toolsOf(tools: readonly string[]): string {
  if (tools.length === 0) return 'May call no tool as of now.'
  const more = tools.length > shownTools ? ` and ${tools.length - shownTools} more` : ''
  return `May call as of now: ${tools.slice(0, shownTools).join(', ')}${more}`
}

/** How much is known of who is asking. */
function provenance({ client }: ConsentQuestion): string {
  switch (client.source) {
    case 'operator':
    case 'agent':
      return '(added by an operator of this server)'
    case 'document':
      return `(calls itself so; described at ${client.host ?? ''}, not verified otherwise)`
    case 'registration':
      return '(calls itself so; it registered itself, and nobody has verified it)'
  }
}

function redirectHost({ redirectUri }: ConsentQuestion): string {
  const url = new URL(redirectUri)
  return url.host === '' ? `an application that opens ${url.protocol}` : `${url.protocol}//${url.host}`
}

function warning(question: ConsentQuestion): Markup {
  const { protocol, hostname } = new URL(question.redirectUri)
  if (protocol === 'https:') return markup``
  const where =
    protocol === 'http:' ? `a program on the machine of this browser (${hostname})` : 'a program on this machine'
  return markup`<p class="warn">The answer goes to ${where}. Allow only if you have just started this from an application that you trust: its name above can be anybody's.</p>`
}
