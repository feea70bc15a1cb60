/**
 * Cuts a list of mailboxes with commas between them into addresses: `user@domain`, `Name <user@domain>` or
 * `"Name, with comma" <user@domain>`. Answers what is wrong where another reader of mail could find other addresses.
 * Does not look into the addresses. Expects text without control characters.
 */
export function mailboxes(text: string): readonly string[] | string {
  const found: string[] = []
  for (let rest = text; ;) {
    const mailbox = oneMailbox.exec(rest)
    if (mailbox === null) return fault(rest)
    const [whole, quoted, name, bracketed, bare] = mailbox
    const shown = quoted ?? name
    if (shown?.includes('=?') === true) return 'holds a display name in encoded words'
    found.push(bracketed ?? bare ?? '')
    rest = rest.slice(whole.length)
    if (rest === '') return found
    if (!rest.startsWith(',')) return fault(rest)
    rest = rest.slice(1)
  }
}

/**
 * A quoted name, or a name of words, before an address in angle brackets; or an address alone. No part may hold what
 * separates, opens or closes something in any reader of mail. Each character can stand in one place only, so that the
 * time is linear in the text.
 */
const oneMailbox =
  /^ *(?:(?:"([^"\\@<>()[\]:;]*)" *|([^ "\\@<>()[\]:;,][^"\\@<>()[\]:;,]*)?)<([^"\\<>()[\]:;, ]+)>|([^"\\<>()[\]:;, ]+)) *(?=,|$)/u

/** What no plain list of mailboxes holds, and what it is a sign of. */
const signs: readonly (readonly [RegExp, string])[] = [
  [/^ *(?:,|$)/u, 'holds an empty address'],
  [/[()]/u, 'holds an address with a comment'],
  [/[[\]]/u, 'holds an address literal'],
  [/[:;]/u, 'holds a group, a route or another separator than the comma'],
  [/["\\]/u, 'holds a quoted part that mail software reads differently'],
]

function fault(rest: string): string {
  const found = signs.find(([sign]) => sign.test(rest))
  return found === undefined ? 'holds a recipient that is not plainly one address' : found[1]
}
