import { expect, it } from 'vitest'
import { maskSecrets } from './mask-secrets.ts'
import { unifiedDiff } from './unified-diff.ts'

it('shows what is added with the lines around it', () => {
  expect(unifiedDiff('f', 'a\nb\nc\nd\ne\n', 'a\nb\nc\nd\nX\ne\n')).toBe(
    ['--- f', '+++ f', '@@ -2,4 +2,5 @@', ' b', ' c', ' d', '+X', ' e'].join('\n'),
  )
})

it('shows a new file and an unchanged one', () => {
  expect(unifiedDiff('f', null, 'a\n')).toBe(['--- /dev/null', '+++ f', '@@ -0,0 +1,1 @@', '+a'].join('\n'))
  expect(unifiedDiff('f', 'a\n', 'a\n')).toBe('')
})

it('shows that the end of the last line is what changes', () => {
  expect(unifiedDiff('f', 'a', 'a\n')).toBe(
    ['--- f', '+++ f', '@@ -1,1 +1,1 @@', '-a (no end of line)', '+a'].join('\n'),
  )
})

it('masks secrets, also those of others, and shows references', () => {
  const key = `mcpw_abcdefghijkl_${'S'.repeat(43)}`
  const masked = maskSecrets(
    [
      `"Authorization": "Bearer ${key}"`,
      `note: ${key}`,
      '"GITHUB_TOKEN": "ghp_canary"',
      `api_key = 'canary'`,
      'x = { "Authorization" = "Bearer canary" }',
      '"Authorization": "Bearer ${MCPWORKS_AGENT_KEY}"',
      'bearer_token_env_var = "MCPWORKS_AGENT_KEY"',
    ].join('\n'),
  )
  expect(masked).not.toMatch(/canary|SSSS/)
  expect(masked).toContain('"Bearer ${MCPWORKS_AGENT_KEY}"')
  expect(masked).toContain('bearer_token_env_var = "MCPWORKS_AGENT_KEY"')
})
