import { digestJson, isJsonObject, type Digest, type JsonValue } from '../kernel/index.ts'
import { configPaths } from './config-paths.ts'
import { configSchema, type Config } from './schema.ts'

/** A setting as it may be shown. */
export interface ShownSetting {
  readonly path: string
  /** `(secret)` in place of a secret that is set. */
  readonly value: JsonValue
}

/** Every setting in force, in the order of the schema. Secrets are not in it, only whether there are any. */
export function shownSettings(config: Config): ShownSetting[] {
  return configPaths(configSchema).map(({ path, secret }) => {
    const value = valueAt(config, path)
    const isSet = value !== null && value !== '' && !(isJsonObject(value) && Object.keys(value).length === 0)
    return { path: path.join('.'), value: secret && isSet ? '(secret)' : value }
  })
}

/**
 * SHA-256 over the RFC 8785 text of all settings in force, by path, as `config show` shows them: two starts with one
 * digest had one configuration, but for the values of secrets and the contents of files that settings name.
 */
export function configDigest(config: Config): Digest {
  return digestJson(Object.fromEntries(shownSettings(config).map(({ path, value }) => [path, value])))
}

function valueAt(values: unknown, path: readonly string[]): JsonValue {
  let value: unknown = values
  for (const part of path) value = isJsonObject(value) ? value[part] : undefined
  return value === undefined ? null : (value as JsonValue)
}
