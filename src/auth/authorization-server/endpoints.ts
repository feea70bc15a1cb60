/** Paths of the authorization server's endpoints, below the public URL. */
export const endpoints = {
  authorize: '/oauth/authorize',
  consent: '/oauth/consent',
  token: '/oauth/token',
  revoke: '/oauth/revoke',
  push: '/oauth/par',
  register: '/oauth/register',
  keys: '/oauth/jwks',
} as const
