import type { CedarType } from '../argument-type.ts'
import type { CedarValueJson } from '../cedar.ts'

/**
 * The value that stands for a fact which nobody could tell and no policy in scope reads: empty text, 0, false, an empty
 * set, and of a record its required attributes. It makes the recorded input one that the schema accepts, and says
 * nothing of the call; the record lists the fact as untold.
 */
export function neutralValue(type: CedarType): CedarValueJson {
  switch (type.type) {
    case 'String':
      return ''
    case 'Long':
      return 0
    case 'Boolean':
      return false
    case 'Extension':
      return type.name === 'ipaddr' ? { __extn: { arg: '::', fn: 'ip' } } : { __extn: { arg: '0.0', fn: 'decimal' } }
    case 'Set':
      return []
    case 'Record': {
      const record: Record<string, CedarValueJson> = {}
      // In the order of RFC 8785, as the extractors write theirs.
      for (const name of Object.keys(type.attributes).sort()) {
        const attribute = type.attributes[name]
        if (attribute?.required === true) record[name] = neutralValue(attribute)
      }
      return record
    }
  }
}
