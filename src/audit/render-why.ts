import { isJsonObject, type JsonObject } from '../kernel/index.ts'
import type { CallExplanation, ExplainedQuota } from './call-explanation.ts'

const labelWidth = 11
const bodyLimit = 600

/**
 * One page for people: who, what, which rule, on which facts, what happened, what was used, and the proof.
 * Plain text that ends in a newline. Control and direction characters are shown as escapes, because names, arguments
 * and results are written by others; long bodies are cut, and say so.
 */
export function renderWhy(explanation: CallExplanation): string {
  const { decision, outcome } = explanation
  const lines = [
    `${decision.effect === 'allow' ? 'ALLOWED' : 'REFUSED'}${ending(explanation)}`,
    summary(explanation),
    '',
    ...section('Call', [`${explanation.call} in ${explanation.namespace}`, ...relations(explanation)]),
    ...section('Who', who(explanation)),
    ...section('What', what(explanation)),
    ...section('Because', because(explanation)),
    ...section('On facts', facts(explanation)),
    ...(decision.effect === 'allow' ? section('Happened', happened(explanation)) : []),
    ...section('Result', result(outcome)),
    ...section('Proof', proof(explanation)),
    ...section('Further', further(explanation)),
  ]
  return `${lines.join('\n')}\n`
}

/** The whole story in one sentence, for who reads no further. */
function summary({ who, what, decision, outcome }: CallExplanation): string {
  const rule = decision.rules.find(({ effect }) => (effect === 'permit') === (decision.effect === 'allow'))
  const because =
    rule === undefined
      ? (basisSentences.get(decision.basis) ?? visible(decision.basis))
      : `${visible(rule.id)} ${rule.effect === 'permit' ? 'permits' : 'forbids'} it`
  const withheld = outcome?.failedInvariants.length ? ' Its output was kept back.' : ''
  return `${visible(who.id)} asked for ${visible(what.tool)}: ${because}.${withheld}`
}

/** The commands that show more, each of them for this call. */
function further({ call, namespace, decision }: CallExplanation): string[] {
  const of = `${visible(call)} -n ${visible(namespace)}`
  return [
    ...(decision.effect === 'allow' ? [] : [`what would change it: mcpworks why not ${of}`]),
    ...(decision.engine === null ? [] : [`decide it again with stock Cedar: mcpworks audit replay ${of}`]),
    `prove it to somebody else: mcpworks audit prove ${of} -o proof.json`,
  ]
}

function ending({ decision, outcome }: CallExplanation): string {
  if (decision.effect !== 'allow') return ', and nothing was run'
  return outcome === null ? ', and still running or not yet closed' : `, and ended: ${visible(outcome.status)}`
}

function relations({ run, parentCall, trace }: CallExplanation): string[] {
  const parent = parentCall === null ? '' : `, made by call ${visible(parentCall)}`
  return [`run ${visible(run)}${parent}`, ...(trace === null ? [] : [`trace ${visible(trace)} (given by the caller)`])]
}

function who({
  who: { type, id, groups, authentication, credentialId, issuer, clientId, actors, address, claimedName },
}: CallExplanation): string[] {
  const member = groups.length === 0 ? 'in no group' : `in ${groups.map(visible).join(', ')}`
  return [
    `${visible(type)} ${visible(id)}, ${member}`,
    ...(actors[0] === undefined
      ? []
      : [`used by ${visible(actors[0])} on behalf of ${[...actors.slice(1), id].map(visible).join(', ')}`]),
    `proven by ${visible(authentication)} ${visible(credentialId)}, from ${visible(address)}`,
    ...(issuer === null
      ? []
      : [`token issued by ${visible(issuer)}${clientId === null ? '' : ` to client ${visible(clientId)}`}`]),
    ...(claimedName === null ? [] : [`calls itself "${visible(claimedName)}" (not verified)`]),
  ]
}

/** Not of an output that was not kept where nothing was handed out either. */
function result(outcome: CallExplanation['outcome']): string[] {
  if (outcome === null) return []
  const { bytesOut, output, outputBytes, outputGone, outputRedactions } = outcome
  if (outputBytes === null) return outputGone === null || !bytesOut ? [] : [`the result ${outputGone}`]
  if (outputGone !== null) return [`${outputBytes} bytes: the result ${visible(outputGone)}`]
  return [`${body(output, outputBytes)}${redacted(outputRedactions)}`]
}

function redacted(places: number): string {
  return places === 0 ? '' : ` (secrets were taken out in ${places} ${places === 1 ? 'place' : 'places'})`
}

function what({
  what: { method, tool, service, door, input, inputBytes, inputGone, inputRedactions },
  time,
}: CallExplanation): string[] {
  const of = service === null ? '' : ` of ${visible(service)}`
  return [
    `${visible(method)} ${visible(tool)}${of}, by the ${visible(door)} door, ${time}`,
    inputGone === null
      ? `arguments: ${body(input, inputBytes ?? 0)}${redacted(inputRedactions)}`
      : `arguments ${visible(inputGone)}`,
  ]
}

const defaultDeny = 'no policy permits it, and what is not permitted is refused'
const basisSentences: ReadonlyMap<string, string> = new Map([
  ['permit', 'a policy permits it and none forbids it'],
  ['forbid', 'a policy forbids it, and forbid beats permit'],
  ['default-deny', defaultDeny],
  ['barred', 'running code may not ask for it, whatever policies permit its caller'],
  ['error', 'the policies could not be evaluated, and an error refuses'],
])

function because({ decision }: CallExplanation): string[] {
  const engine = decision.engine === null ? 'no engine was asked' : `decided by ${visible(decision.engine)}`
  return [
    basisSentences.get(decision.basis) ?? visible(decision.basis),
    ...decision.rules.map(({ id, effect, reason, remedy }) => {
      const why = reason === null ? ' (its author gave no reason)' : `: ${visible(reason)}`
      return `${visible(effect)} ${visible(id)}${why}${remedy === null ? '' : ` Remedy: ${visible(remedy)}.`}`
    }),
    ...decision.errors.map((error) => `error: ${visible(error)}`),
    ...approval(decision.approval),
    ...(decision.obligations.length === 0 ? [] : [`on condition: ${decision.obligations.map(visible).join(', ')}`]),
    `${engine} in ${(decision.durationUs / 1000).toFixed(2)} ms, policies ${short(decision.policySetHash)}`,
    ...shadow(decision.shadow),
  ]
}

const shadowSentences: ReadonlyMap<string, string> = new Map([
  ['newlyAllowed', 'would have allowed it'],
  ['newlyDenied', 'would have denied it'],
  ['newlyVisible', 'would have told the caller of it, and decided'],
  ['otherReasons', 'would have decided the same for another reason'],
])

/** What policies that are tried say has no part in the decision, and stands last. */
function shadow(shadow: CallExplanation['decision']['shadow']): string[] {
  if (shadow === null) return []
  const { policySetHash, difference } = shadow
  const tried = `policies ${short(policySetHash)}, tried beside these,`
  if (difference === null) return [`${tried} decided the same`]
  const by = difference.by.length === 0 ? visible(difference.basis) : difference.by.map(visible).join(', ')
  return [`${tried} ${shadowSentences.get(difference.kind) ?? visible(difference.kind)}: ${by}`]
}

function approval(approval: CallExplanation['decision']['approval']): string[] {
  if (approval === null) return []
  const { id, by, at } = approval
  return by === null
    ? [`request ${visible(id)} asks a person to approve it`]
    : [
        `approved by ${visible(by)}, ${visible(at ?? 'at an unknown time')} (request ${visible(id)}, spent on this call)`,
      ]
}

function facts({ facts: known }: CallExplanation): string[] {
  const { labels, derived, quota, untold, extractorHash, definitionHash, codeHash, sandbox } = known
  return [
    labels.length === 0 ? 'no labels on the run' : `labels on the run: ${labels.map(visible).join(', ')}`,
    ...Object.entries(derived).map(([name, value]) => `fact ${visible(name)} = ${visible(JSON.stringify(value))}`),
    ...untold.map((name) => `fact ${visible(name)}: the arguments do not tell, and no policy in scope reads it`),
    ...(extractorHash === null ? [] : [`facts made by extractors ${short(extractorHash)}`]),
    ...(quota === null ? [] : usedBefore(quota)),
    `definition ${short(definitionHash)}, code ${short(codeHash)}${sandbox === null ? '' : `, sandbox ${visible(sandbox)}`}`,
  ]
}

function usedBefore({ target, agent, tool, spend, retryAfterSeconds }: ExplainedQuota): string[] {
  return [
    `used before by the caller: ${figures(agent)}`,
    `used before of ${visible(target)}: ${figures(tool)}`,
    ...(spend === 0 ? [] : [`this call spends ${spend}`]),
    ...(retryAfterSeconds === null ? [] : [`waiting ${retryAfterSeconds} s would have had it allowed`]),
  ]
}

const figureNames = {
  calls_minute: 'calls in a minute',
  calls_day: 'today',
  bytes_out_day: 'bytes out',
  spend_day: 'spent',
  running: 'running',
}

/** Only what there was: most figures are 0 for most callers. */
function figures(given: ExplainedQuota['agent']): string {
  const used = Object.entries(figureNames).filter(([name]) => (given[name] ?? 0) !== 0)
  return used.length === 0 ? 'nothing yet' : used.map(([name, words]) => `${given[name]} ${words}`).join(', ')
}

function labelsGathered(after: readonly string[] | null, before: readonly string[]): string[] {
  if (after === null || after.every((label) => before.includes(label))) return []
  return [`labels on the run after it: ${after.map(visible).join(', ')}`]
}

function happened({ outcome, facts: { labels } }: CallExplanation): string[] {
  if (outcome === null) return ['no outcome is recorded yet']
  const took = outcome.durationMs === null ? '' : ` after ${outcome.durationMs} ms`
  const used = [
    ...(outcome.cpuMs === null ? [] : [`${Number(outcome.cpuMs.toFixed(1))} ms of processor time`]),
    ...(outcome.maxRssBytes === null ? [] : [`${(outcome.maxRssBytes / 2 ** 20).toFixed(1)} MiB of memory`]),
  ]
  return [
    `${visible(outcome.status)}${took}, ${outcome.time}`,
    ...(outcome.detail === null ? [] : [visible(outcome.detail)]),
    ...labelsGathered(outcome.labelsAfter, labels),
    ...(outcome.bytesOut === null ? [] : [`handed out ${outcome.bytesOut} bytes`]),
    ...(used.length === 0 ? [] : [`used ${used.join(' and ')}`]),
    ...moved(outcome),
    ...(outcome.exitCode === null ? [] : [exitSentence(outcome.exitCode)]),
    ...(outcome.innerCalls === 0 ? [] : [`asked for ${outcome.innerCalls} calls of other tools`]),
    ...outcome.obligations.map(({ obligation, fulfilled, detail }) => {
      return `${fulfilled ? 'fulfilled' : 'NOT FULFILLED'}: ${visible(obligation)} (${visible(detail)})`
    }),
    ...checked(outcome),
  ]
}

/** What the code had at once, and what went in and out of it. */
function moved({ peakProcesses, readBytes, writtenBytes }: NonNullable<CallExplanation['outcome']>): string[] {
  const parts = [
    ...(peakProcesses === null ? [] : [`had ${peakProcesses} processes and threads at once`]),
    ...(readBytes === null ? [] : [`read ${readBytes} bytes`]),
    ...(writtenBytes === null ? [] : [`wrote ${writtenBytes} bytes`]),
  ]
  return parts.length === 0 ? [] : [parts.join(', ')]
}

/** Exit codes of a shell's convention: 128 and the signal. Code can choose such a one, too. */
function exitSentence(exitCode: number): string {
  const signal = exitCode > 128 && exitCode <= 192 ? `, as signal ${exitCode - 128} leaves it` : ''
  return `its process ended with exit code ${exitCode}${signal}`
}

/** What must have held, what the kernel said of the jail, and what did not hold. */
function checked({ invariants, jail }: NonNullable<CallExplanation['outcome']>): string[] {
  const held = invariants.filter(({ pass }) => pass).map(({ id }) => visible(id))
  const broken = invariants.filter(({ pass }) => !pass)
  return [
    ...(held.length === 0 ? [] : [`held: ${held.join(', ')}`]),
    ...(jail === null ? [] : jailLine(jail)),
    ...broken.map(({ id, detail }) => `DID NOT HOLD: ${visible(id)}${detail === null ? '' : ` (${visible(detail)})`}`),
    ...(broken.length === 0 ? [] : ['the output is in quarantine; the caller did not get it']),
  ]
}

function jailLine({ before, group, kernel }: JsonObject): string[] {
  if (!isJsonObject(before)) return []
  const devices = Array.isArray(before.devices) ? before.devices.map(String).join(', ') : ''
  const bound = isJsonObject(group) && typeof group.memory_bytes === 'number' ? group.memory_bytes : null
  const filters =
    typeof before.seccomp_filters === 'number' ? `${before.seccomp_filters} system-call filters` : 'filtered'
  const parts = [
    `user ${String(before.uid)}`,
    filters,
    ...(kernel === 'guest' ? ['a kernel of its own'] : [`network ${devices === '' ? 'none' : devices}`]),
    ...(bound === null ? [] : [`at most ${Math.round(bound / 2 ** 20)} MiB`]),
  ]
  return [`the kernel says: ${parts.map(visible).join(', ')}`]
}

function proof({ records, proof: made, namespace }: CallExplanation): string[] {
  const places = records.map(({ kind, index }) => `${visible(kind)} at position ${index}`).join(', ')
  if (made === null) return [`${places} of the log of ${namespace}`]
  const covered =
    made.checkpoint === null
      ? 'not under a signed checkpoint yet (one is due within a second)'
      : `under the signed checkpoint of ${made.checkpoint.size} records, shown by ${made.inclusion.length} hashes`
  return [`${places} of the log of ${namespace}`, `leaf ${made.leafHash}`, covered]
}

function section(label: string, lines: readonly string[]): string[] {
  return lines.map((line, position) => `${(position === 0 ? label : '').padEnd(labelWidth)}${line}`)
}

function body(content: string | null, bytes: number): string {
  if (content === null) return `${bytes} bytes, not shown`
  const cut = content.length > bodyLimit
  return visible(cut ? content.slice(0, bodyLimit) : content) + (cut ? ` ... (${bytes} bytes)` : '')
}

function short(digest: string | null): string {
  return digest === null ? 'none' : visible(digest).slice(0, 'sha256:'.length + 12)
}

/** Text that cannot move the cursor, change colours, reorder what is read or add lines. */
function visible(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) => {
    return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`
  })
}
