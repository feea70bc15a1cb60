import { z } from 'zod'
import { hidesText, isText, textsOf, unreadable, type Extracted, type Extractor } from './extractor.ts'
import { hostName } from './host-name.ts'
import { mailboxes } from './mailboxes.ts'

const parameters = z.strictObject({
  /** What becomes of `+tag` before the `@`: kept in the address, or dropped. */
  subaddress: z.enum(['keep', 'drop'], { error: 'subaddress is keep or drop' }).default('keep'),
})

const recipientLimit = 500
const textLimit = 65_536

/**
 * Who a message goes to, over all of its arguments (to, cc, bcc). A text is a list of mailboxes with commas between
 * them; in a list each text is one mailbox. A mailbox is `user@domain` or `Name <user@domain>`.
 *
 * Only the plain part of RFC 5322 is taken, since mail software disagrees on the rest: no comments, groups, routes,
 * quoted local parts, encoded words, second "@", "%" or "!" in the local part, address literals or line breaks, and a
 * display name holds no part of an address. Addresses and domains are in lower case, domains that are not ASCII in
 * punycode (so look-alike letters differ); local parts must be ASCII. Whether the mailbox exists is not asked.
 */
export const emailRecipients: Extractor = {
  name: 'email-recipients',
  version: 1,
  parameters,
  type: {
    type: 'Record',
    attributes: {
      count: { type: 'Long', required: true },
      addresses: { type: 'Set', element: { type: 'String' }, required: true },
      domains: { type: 'Set', element: { type: 'String' }, required: true },
    },
  },
  givesMoney: false,
  takes: { least: 1, most: 16 },
  whenAbsent: { value: { addresses: [], count: 0, domains: [] }, open: { count: 0, domains: [] } },
  reads: isText,
  extract(inputs, { subaddress }) {
    const addresses = new Set<string>()
    const domains = new Set<string>()
    let count = 0
    for (const { argument, value } of inputs) {
      const texts = textsOf(value)
      if (texts === null) return unreadable(argument, 'is not text or a list of text')
      for (const text of texts) {
        const found = mailboxesIn(text, Array.isArray(value))
        if (typeof found === 'string') return unreadable(argument, found)
        for (const mailbox of found) {
          const read = readAddress(mailbox, subaddress === 'drop')
          if (typeof read === 'string') return unreadable(argument, read)
          count += 1
          if (count > recipientLimit) return unreadable(argument, `holds more than ${recipientLimit} recipients`)
          addresses.add(`${read.local}@${read.domain}`)
          domains.add(read.domain)
        }
      }
    }
    return recipients(count, addresses, domains)
  },
}

function recipients(count: number, addresses: ReadonlySet<string>, domains: ReadonlySet<string>): Extracted {
  const value = { addresses: [...addresses].sort(), count, domains: [...domains].sort() }
  return { ok: true, value, open: { count, domains: value.domains } }
}

/** The addresses that a text names, or what is wrong with it. */
function mailboxesIn(text: string, oneOnly: boolean): readonly string[] | string {
  if (text.length > textLimit) return `is longer than ${textLimit} characters`
  if (hidesText(text)) return 'holds a line break, or an invisible or control character'
  if (text === '' && !oneOnly) return []
  const found = mailboxes(text)
  if (typeof found !== 'string' && oneOnly && found.length !== 1) return 'holds several addresses in one element'
  return found
}

function readAddress(address: string, dropTag: boolean): { readonly local: string; readonly domain: string } | string {
  const at = address.indexOf('@')
  if (at === -1) return 'holds a recipient that is no address'
  if (at !== address.lastIndexOf('@')) return 'holds an address with more than one "@"'
  const local = address.slice(0, at)
  if (local.length > 64) return 'holds an address with a local part that is too long'
  // RFC 5322 section 3.2.3, dot-atom, without "%" and "!", by which relays once routed to other hosts.
  if (!/^[A-Za-z0-9#$&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9#$&'*+/=?^_`{|}~-]+)*$/u.test(local))
    return 'holds an address whose local part is not plain'
  const host = hostName(address.slice(at + 1))
  if (!host.ok) return host.problem
  const lower = local.toLowerCase()
  const tag = dropTag ? lower.indexOf('+') : -1
  return { local: tag > 0 ? lower.slice(0, tag) : lower, domain: host.name }
}
