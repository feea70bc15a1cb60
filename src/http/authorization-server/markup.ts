/** Text that is HTML already. */
export interface Markup {
  readonly html: string
}

/** Makes HTML of a template: whatever is put into it is text and is escaped, unless it is HTML made the same way. */
export function markup(
  strings: TemplateStringsArray,
  ...values: readonly (string | Markup | readonly Markup[])[]
): Markup {
  const parts = strings.map((text, index) => `${text}${index < values.length ? toHtml(values[index] ?? '') : ''}`)
  return { html: parts.join('') }
}

function toHtml(value: string | Markup | readonly Markup[]): string {
  if (typeof value === 'string') return escape(value)
  return 'html' in value ? value.html : value.map((part) => part.html).join('')
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? '')
}
