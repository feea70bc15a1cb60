import { z } from 'zod'
import { policyCase } from '../../contract/index.ts'
import { McpworksError, nearestName } from '../../kernel/index.ts'
import {
  factsFileName,
  fillTemplate,
  policyTemplates,
  type PolicySource,
  type PolicyTemplate,
} from '../../policy/index.ts'
import { asJson, sourceOf, testedNamespace, type PolicyHandlerPorts } from './policy-handlers.ts'
import type { Handlers } from './handler.ts'
import { knownAgents } from './known-agents.ts'
import { policySources, type PolicySources } from './policy-sources.ts'
import { testPolicies, type PolicyCaseResult } from './test-policies.ts'
import { unknownNamespace } from './identity-handlers.ts'

/**
 * Fills templates. The rules are checked together with the files given; the cases are decided twice: under the rules
 * of the template alone, which is what they were made for, and together with the files given, whose own rules may
 * decide otherwise.
 */
export function templateHandler(ports: PolicyHandlerPorts): Pick<Handlers, 'policy.template'> {
  const { policy, catalogue, registry, hosted } = ports
  return {
    async 'policy.template'({ namespace, template: name, id, values, files }) {
      if (!catalogue.hasNamespace(namespace)) throw unknownNamespace(namespace)
      const template = templateNamed(name)
      const { tools } = hosted.vocabulary(namespace)
      const given = files.map(sourceOf)
      const factsFile = given.find(({ file }) => file === factsFileName)?.text ?? null
      const filled = fillTemplate({ template, id: id ?? name, given: values, tools, factsFile })
      if (!filled.ok) throw new McpworksError('invalid_request', { message: filled.problems.join('\n') })
      const taken = given.find(({ file }) => file === filled.rules.file)
      if (taken !== undefined)
        throw new McpworksError('already_exists', { message: `There is ${taken.file} already: choose another id.` })
      const facts = filled.facts === null ? [] : [filled.facts]
      const others = given.filter(({ file }) => filled.facts === null || file !== filled.facts.file)
      const { sources, placed } = compiled(namespace, [...others, ...facts, filled.rules])
      const checked = policy.check(sources, { ...hosted.vocabulary(namespace), ...knownAgents(registry, namespace) })
      if (!checked.ok) throw new McpworksError('policy_invalid', { data: { problems: placed(checked.problems) } })
      const cases = z.array(policyCase).parse(filled.caseList)
      const decided = (policies: readonly PolicySource[]): PolicyCaseResult[] =>
        hosted.under(namespace, { functions: hosted.functions(namespace), policies }, (decide) =>
          testPolicies(cases, testedNamespace(ports, namespace), decide),
        )
      const alone = decided(compiled(namespace, [...facts, filled.rules]).sources)
      return asJson({
        files: [filled.rules, filled.cases].map(({ file, text }) => ({ path: file, text })),
        facts: filled.facts === null ? null : { path: filled.facts.file, text: filled.facts.text },
        problems: placed(checked.problems),
        alone,
        together: decided(sources),
      })
    },
  }
}

function templateNamed(name: string): PolicyTemplate {
  const template = policyTemplates.find((one) => one.name === name)
  if (template !== undefined) return template
  const names = policyTemplates.map((one) => one.name)
  const near = nearestName(name, names)
  throw new McpworksError('unknown_object', {
    message: `There is no template ${name}${near === null ? `; there are ${names.join(', ')}` : `: did you mean ${near}?`}`,
  })
}

function compiled(namespace: string, files: readonly PolicySource[]): Extract<PolicySources, { ok: true }> {
  const compiledFiles = policySources(namespace, files)
  if (!compiledFiles.ok) throw new McpworksError('policy_invalid', { data: { problems: compiledFiles.problems } })
  return compiledFiles
}
