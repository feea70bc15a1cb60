import { isJsonObject, type JsonObject, type JsonValue } from '../kernel/index.ts'

/** Names of members that hold credentials, wherever they stand. */
const secretName =
  /^(?:.*[_-])?(?:password|passwd|passphrase|pwd|secret|token|authorization|cookie|credentials?|private[_-]?key|api[_-]?key|access[_-]?key)$/i

/** What credentials look like, whatever they are called: of this server, in headers, signed, in PEM, of well-known makers. */
const secretText =
  /\bmcpw_[a-z0-9]+_|\b(?:Bearer|Basic|DPoP) +[A-Za-z0-9._~+/=-]{16,}|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.|-----BEGIN [A-Z ]*PRIVATE KEY-----|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bgh[opsur]_[A-Za-z0-9]{20,}|\bsk-[A-Za-z0-9_-]{20,}|\bxox[abprs]-[A-Za-z0-9-]{10,}|:\/\/[^\s/:@]{1,200}:[^\s/@]{1,200}@/

/**
 * The arguments as an approver may see them: whole, but for what is a secret, which is replaced by its length. A member
 * is a secret if the tool's schema says so (`writeOnly`, or the format `password`), by its name, or by what it looks like.
 * What looks like nothing of that is shown: approvers see what agents send.
 */
export function shownArguments(args: JsonObject, schema: JsonObject | null): JsonObject {
  return shownObject(args, schema ?? {})
}

function shownObject(object: JsonObject, schema: JsonObject): JsonObject {
  const properties = isJsonObject(schema.properties) ? schema.properties : {}
  return Object.fromEntries(
    Object.entries(object).map(([name, value]) => {
      const own = Object.hasOwn(properties, name) ? properties[name] : undefined
      const type = isJsonObject(own) ? own : {}
      return [
        withoutSecrets(name),
        isSecret(type) || secretName.test(spaced(name)) ? covered(value) : shown(value, type),
      ]
    }),
  )
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
  return secretText.test(text) ? String(covered(text)) : text
}

function covered(value: JsonValue): JsonValue {
  if (value === null || typeof value === 'boolean') return '[hidden]'
  const length = typeof value === 'string' ? value.length : JSON.stringify(value).length
  return `[hidden: ${length} characters]`
}
