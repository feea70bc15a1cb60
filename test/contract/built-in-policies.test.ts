import { describe, expect, it } from 'vitest'
import { implementations, opened } from './implementations.ts'

describe.each(implementations)("the platform's own policies of each version in $name", ({ place }) => {
  it('are kept once each, the newest first, over a restart', async () => {
    const here = place()
    const { policies, close } = await here.open()
    expect(await policies.listBuiltIn()).toEqual([])
    await policies.keepBuiltIn('forbid (principal, action, resource);')
    await policies.keepBuiltIn('permit (principal, action, resource);')
    await policies.keepBuiltIn('forbid (principal, action, resource);')
    await close()
    const again = await opened(here)
    expect(await again.policies.listBuiltIn()).toEqual([
      'permit (principal, action, resource);',
      'forbid (principal, action, resource);',
    ])
  })
})
