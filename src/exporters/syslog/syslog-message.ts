/** One message of syslog. */
export interface SyslogMessage {
  /** 0-23; 13 is the log audit. */
  readonly facility: number
  /** 0-7; 4 is a warning, 5 a notice, 6 informational. */
  readonly severity: number
  readonly timeMs: number
  readonly hostname: string
  readonly version: string
  /** Type of the message, at most 32 characters: the kind of record. */
  readonly messageId: string
  /** What is told, as JSON. */
  readonly text: string
}

const appName = 'mcpworks'

/**
 * A message as RFC 5424 writes it. All of it is ASCII: what is beyond stands in the JSON as `\uXXXX`, so that no receiver
 * has to be told of an encoding. The text is left out where the whole would be longer than `maxBytes`, never cut in the
 * middle; the id and size of what was left out are told in its place.
 */
export function syslogMessage(message: SyslogMessage, id: string, maxBytes: number): string {
  const { facility, severity, timeMs, hostname, version, messageId } = message
  const priority = facility * 8 + severity
  const software = `[origin software="${appName}" swVersion="${parameterValue(version)}"]`
  const head = `<${priority}>1 ${new Date(timeMs).toISOString()} ${word(hostname, 255)} ${appName} - ${word(messageId, 32)} ${software}`
  const text = asciiJson(message.text)
  const whole = `${head} ${text}`
  return whole.length <= maxBytes ? whole : `${head} ${JSON.stringify({ id, omitted_bytes: text.length })}`
}

/** Octet counting (RFC 6587 section 3.4.1, RFC 5425 section 4.3): no text can look like the end of a message. */
export function countOctets(message: string): string {
  return `${Buffer.byteLength(message)} ${message}`
}

/** A header field: printable ASCII without blanks, `-` for nothing. */
function word(text: string, maxLength: number): string {
  return text.replaceAll(/[^\x21-\x7e]/g, '_').slice(0, maxLength) || '-'
}

/** RFC 5424 section 6.3.3. */
function parameterValue(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '_').replaceAll(/["\\\]]/g, '\\$&')
}

function asciiJson(json: string): string {
  return json.replaceAll(/[^\x20-\x7e]/g, (character) =>
    Array.from(
      { length: character.length },
      (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`,
    ).join(''),
  )
}
