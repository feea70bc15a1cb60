// Runs in the browser. Turns forms with data-passkey into the two ceremonies of WebAuthn; everything is checked by the
// server. Without it the forms that need no passkey still work.
const bytes = (text) =>
  Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (character) => character.codePointAt(0))
const text = (buffer) =>
  btoa(String.fromCodePoint(...new Uint8Array(buffer)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
const known = (list) => (list ?? []).map((entry) => ({ ...entry, id: bytes(entry.id) }))

async function create(options) {
  const made = await navigator.credentials.create({
    publicKey: {
      ...options,
      challenge: bytes(options.challenge),
      user: { ...options.user, id: bytes(options.user.id) },
      excludeCredentials: known(options.excludeCredentials),
    },
  })
  const { clientDataJSON, attestationObject } = made.response
  return {
    clientDataJSON: text(clientDataJSON),
    attestationObject: text(attestationObject),
    transports: made.response.getTransports?.() ?? [],
    made,
  }
}

async function get(options) {
  const made = await navigator.credentials.get({
    publicKey: { ...options, challenge: bytes(options.challenge), allowCredentials: known(options.allowCredentials) },
  })
  const { clientDataJSON, authenticatorData, signature } = made.response
  return {
    clientDataJSON: text(clientDataJSON),
    authenticatorData: text(authenticatorData),
    signature: text(signature),
    made,
  }
}

async function post(path, csrf, body) {
  const response = await fetch(path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-MCPWorks-CSRF': csrf },
    body: JSON.stringify(body),
  })
  const answer = await response.json()
  if (!response.ok) throw new Error(answer.error?.message ?? 'That did not work.')
  return answer
}

async function run(form) {
  const { csrf, ...fields } = Object.fromEntries(new FormData(form))
  const options = await post(`${form.action}/options`, csrf, fields)
  const { made, ...response } = await (form.dataset.passkey === 'create' ? create(options) : get(options))
  const credential = { id: made.id, rawId: text(made.rawId), type: made.type, response }
  const { next } = await post(form.action, csrf, { ...fields, credential })
  location.assign(next)
}

for (const form of document.querySelectorAll('form[data-passkey]')) {
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const problem = document.querySelector('[role="alert"]')
    const button = form.querySelector('button')
    if (problem !== null) problem.textContent = ''
    button.disabled = true
    run(form)
      .catch((error) => {
        const cancelled = error.name === 'NotAllowedError' || error.name === 'AbortError'
        if (problem !== null) problem.textContent = cancelled ? 'No passkey was used. Try again.' : error.message
      })
      .finally(() => {
        button.disabled = false
      })
  })
}
