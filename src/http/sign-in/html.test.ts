import { describe, expect, it } from 'vitest'
import { html } from './html.ts'

describe('markup', () => {
  it('escapes every value, in text and in attributes, and takes markup as it is', () => {
    const hostile = `<script>"'&`
    const inner = html`<b>${hostile}</b>`
    expect(html`<p title="${hostile}">${inner}${null}${false}${[1, inner]}</p>`.text).toBe(
      '<p title="&#60;script&#62;&#34;&#39;&#38;"><b>&#60;script&#62;&#34;&#39;&#38;</b>1<b>&#60;script&#62;&#34;&#39;&#38;</b></p>',
    )
  })
})
