import { sampleArguments } from './sample-arguments.ts'
import type { TemplateCase, TemplateTool } from './policy-template.ts'

/** Whoever a rule is for, as the agent and the groups of a case. */
export function callerOf(who: string): Pick<TemplateCase, 'agent' | 'groups'> {
  const [kind, name = ''] = who.split(' ')
  if (kind === 'agent') return { agent: name, groups: [] }
  return { agent: 'some-agent', groups: kind === 'group' ? [name] : [] }
}

/** Tools that a rule is about. */
export function toolsOf(which: string, tools: readonly TemplateTool[]): readonly TemplateTool[] {
  if (which === 'any tool') return tools
  const [kind, service] = which.split(' ')
  return tools.filter((tool) => (service === undefined ? tool.name === kind : tool.service === service))
}

/** One call that a rule covers, with the id that the rule has for it. */
export interface CoveredCall {
  readonly caller: Pick<TemplateCase, 'agent' | 'groups'>
  readonly tool: string
  readonly args: TemplateCase['args']
  readonly rule: string
}

/** A call for each pair of who and which that there is a tool for, in the order in which the compiler numbers rules. */
export function coveredCalls(
  ruleName: string,
  whos: readonly string[],
  whiches: readonly string[],
  tools: readonly TemplateTool[],
): CoveredCall[] {
  const pairs = whos.flatMap((who) => whiches.map((which) => ({ who, which })))
  return pairs.flatMap(({ who, which }, index) => {
    const [tool] = toolsOf(which, tools)
    if (tool === undefined) return []
    const rule = pairs.length === 1 ? ruleName : `${ruleName}.${index + 1}`
    return [{ caller: callerOf(who), tool: tool.name, args: sampleArguments(tool.inputSchema), rule }]
  })
}
