import { isJsonObject, type JsonObject, type JsonValue } from '../kernel/index.ts'

/** Names of members that hold credentials, wherever they stand. */
const secretName =
  /^(?:.*[_-])?(?:password|passwd|passphrase|pwd|secret|token|authorization|cookie|credentials?|private[_-]?key|api[_-]?key|access[_-]?key)$/i

/**
 * What credentials look like, whatever they are called: of this server, in headers, signed, in PEM, of well-known makers,
 * in URLs. Each finds the credential and not what stands around it, or agents could hide what they please from approvers.
 */
const secretTexts: readonly RegExp[] = [
  /\bmcpw_[a-z0-9]+_[A-Za-z0-9_-]+/g,
  /(?<=\b(?:Bearer|Basic|DPoP) {1,4})[A-Za-z0-9._~+/=-]{16,}/g,
  /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*/g,
  /(?<=-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----)[A-Za-z0-9+/=\s]+/g,
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g,
  /\bgh[opsur]_[A-Za-z0-9]{20,}/g,
  /\bsk-[A-Za-z0-9_-]{20,}/g,
  /\bxox[abprs]-[A-Za-z0-9-]{10,}/g,
  /(?<=:\/\/[^\s/:@]{0,200}:)[^\s/@]{1,200}(?=@)/g,
]

/**
 * The arguments as an approver may see them: whole, but for secrets, which are replaced by their length. A member is one
 * if the tool's schema says so (`writeOnly`, or the format `password`) or by its name; in texts, what looks like one is.
 * What looks like nothing of that is shown: approvers see what agents send.
 */
export function shownArguments(args: JsonObject, schema: JsonObject | null): JsonObject {
  return shownObject(args, schema ?? {})
}

function shownObject(object: JsonObject, schema: JsonObject): JsonObject {
  const properties = isJsonObject(schema.properties) ? schema.properties : {}
  const members = new Map<string, JsonValue>()
  for (const [name, value] of Object.entries(object)) {
    const own = Object.hasOwn(properties, name) ? properties[name] : undefined
    const type = isJsonObject(own) ? own : {}
    const isHidden = isSecret(type) || secretName.test(spaced(name))
    members.set(freeName(withoutSecrets(name), members), isHidden ? covered(value) : shown(value, type))
  }
  return Object.fromEntries(members)
}

/** Names that are alike once secrets are hidden stay apart: no member may take the place of another. */
function freeName(name: string, taken: ReadonlyMap<string, JsonValue>): string {
  let free = name
  for (let next = 2; taken.has(free); next += 1) free = `${name} (${next})`
  return free
}

function shown(value: JsonValue, schema: JsonObject): JsonValue {
  if (typeof value === 'string') return withoutSecrets(value)
  if (Array.isArray(value)) {
    const items = isJsonObject(schema.items) ? schema.items : {}
    return value.map((item) => (isSecret(items) ? covered(item) : shown(item, items)))
  }
  return isJsonObject(value) ? shownObject(value, schema) : value
}

/** `apiKey` as `api_Key`, so that one pattern finds both ways of writing. */
function spaced(name: string): string {
  return name.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
}

function isSecret({ writeOnly, format }: JsonObject): boolean {
  return writeOnly === true || format === 'password'
}

function withoutSecrets(text: string): string {
  return secretTexts.reduce((shown, secret) => shown.replaceAll(secret, (found) => String(covered(found))), text)
}

function covered(value: JsonValue): JsonValue {
  if (value === null || typeof value === 'boolean') return '[hidden]'
  const length = typeof value === 'string' ? value.length : JSON.stringify(value).length
  return `[hidden: ${length} characters]`
}
