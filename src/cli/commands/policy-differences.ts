import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/index.ts'
import { objects } from './rows.ts'

/** What a command that compares policies exits with 1 for. */
export const failures = ['changes', 'newly-allowed', 'newly-denied', 'nothing'] as const

/** One of them. */
export type FailOn = (typeof failures)[number]

/** Whether an effect changes in a way that is asked about. */
export function hasFailure(answer: JsonObject, failOn: FailOn): boolean {
  if (failOn === 'nothing') return false
  const allowed = failOn !== 'newly-denied' && countOf(answer.newlyAllowed) + countOf(answer.newlyVisible) > 0
  const denied = failOn !== 'newly-allowed' && countOf(answer.newlyDenied) > 0
  return allowed || denied
}

/** The differences, by the rules that decide and decided, with the calls. */
export function differenceLines(answer: JsonObject): string[] {
  return [
    ...differenceSection('NEWLY ALLOWED', answer.newlyAllowed),
    ...differenceSection('NEWLY DENIED', answer.newlyDenied),
    ...differenceSection('NO LONGER HIDDEN', answer.newlyVisible),
    ...differenceSection('other reasons', answer.otherReasons),
  ]
}

/** Differences of one kind under a title; nothing where there is none. */
export function differenceSection(title: string, differences: JsonValue | undefined): string[] {
  if (!isJsonObject(differences) || differences.count === 0) return []
  const more = differences.more === 0 ? [] : [`  and ${String(differences.more)} more of other kinds`]
  return ['', `${title}: ${String(differences.count)}`, ...objects(differences.groups).flatMap(groupLines), ...more]
}

/** How many differences there are of one kind. */
export function countOf(differences: JsonValue | undefined): number {
  return isJsonObject(differences) ? Number(differences.count) : 0
}

function groupLines(group: JsonObject): string[] {
  const examples = objects(group.examples).map(
    ({ call, time, principal, target }) =>
      `      ${String(call)}  ${String(time)}  ${String(principal)} -> ${String(target)}`,
  )
  return [`  ${String(group.count)} x ${groundText(group.after)}, was ${groundText(group.before)}`, ...examples]
}

function groundText(ground: JsonValue | undefined): string {
  if (!isJsonObject(ground)) return ''
  const by = Array.isArray(ground.by) ? ground.by.map(String).join(', ') : ''
  return by === '' ? String(ground.basis) : `${String(ground.basis)} by ${by}`
}
