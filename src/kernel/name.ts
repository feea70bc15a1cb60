/** Namespaces, services, agents and groups: `demo`, `customer-data`. */
const namePattern = /^[a-z][a-z0-9-]{0,38}[a-z0-9]$/
/** Functions: an identifier in both Python and TypeScript. No hyphen, so that a tool's name splits one way only. */
const functionNamePattern = /^[a-z][a-z0-9_]{0,62}$/

/** Whether the text can name a namespace, service, agent or group: 2-40 of `a-z0-9-`, a letter first, no hyphen last. */
export function isName(text: string): boolean {
  return namePattern.test(text)
}

/** Whether the text can name a function: 1-63 of `a-z0-9_`, a letter first. */
export function isFunctionName(text: string): boolean {
  return functionNamePattern.test(text)
}

/**
 * The name under which agents see a function: `service-function`. The last hyphen splits it again.
 * Only letters, digits, hyphen and underscore, because model providers refuse other characters in tool names.
 */
export function toolName(service: string, functionName: string): string {
  return `${service}-${functionName}`
}
