import type { SignedIn, StoredCredential, StoredPrincipal } from '../../auth/index.ts'
import { html, type Html } from './html.ts'
import { newPasswordFields } from './new-password-fields.ts'
import type { PageAnswer } from './page-answer.ts'
import type { PageVisit } from './visit.ts'

/** What the person has consented to, with the agents that it makes them act as. */
export function grantsOf(
  { people }: PageVisit,
  userId: string,
): { credential: StoredCredential; principal: StoredPrincipal }[] {
  return people.registry.listActiveCredentials('grant').filter(({ credential }) => credential.details.userId === userId)
}

/** The account, with what went wrong where something did. */
export function accountView(visit: PageVisit, person: SignedIn, status: number, problem: string | null): PageAnswer {
  const { registry } = visit.people
  const user = registry.findActivePrincipal(person.userId)
  const owned = registry
    .listAllAgents()
    .filter(({ ownerId, revokedAtMs }) => ownerId === person.userId && revokedAtMs === null)
  return {
    kind: 'page',
    status,
    title: person.userId,
    body: html`<div role="alert">${problem}</div>
      <section>
        <h2>Roles</h2>
        <p>
          ${user === null || user.groups.length === 0 ? 'None yet. An owner or admin can give you one.' : user.groups.join(', ')}
        </p>
        <form method="post" action="/sign-out">${csrfField(person)}<button class="quiet">Sign out</button></form>
      </section>
      ${factorSection(visit, person)} ${sessionSection(visit, person)}
      <section>
        <h2>Connected clients</h2>
        ${rows(
          grantsOf(visit, person.userId).map(
            ({ credential, principal }) =>
              html`<li>
                <span
                  >${credential.label === '' ? credential.id : credential.label}<br /><small
                    >acts as ${principal.id}, since ${day(credential.createdAtMs)}</small
                  ></span
                >
                <form method="post" action="/account/grants/revoke">
                  ${csrfField(person)}<input type="hidden" name="grant" value="${credential.id}" /><button
                    class="quiet"
                  >
                    Disconnect
                  </button>
                </form>
              </li>`,
          ),
          'No client acts for you.',
        )}
      </section>
      <section>
        <h2>Agents that you own</h2>
        ${rows(
          owned.map(
            ({ id, disabledAtMs }) =>
              html`<li><span>${id}</span><small>${disabledAtMs === null ? 'active' : 'disabled'}</small></li>`,
          ),
          'None.',
        )}
      </section>`,
  }
}

function factorSection({ people, origin }: PageVisit, person: SignedIn): Html {
  const { passkeys, hasPassword, accounts } = people.factors.of(person.userId)
  return html`<section>
    <h2>What you sign in with</h2>
    <ul class="rows">
      ${passkeys.map(
        (passkey) =>
          html`<li>
            <span
              >${passkey.label}<br /><small
                >passkey, made ${day(passkey.createdAtMs)},
                ${passkey.lastUsedAtMs === null ? 'not used yet' : `last used ${day(passkey.lastUsedAtMs)}`}</small
              ></span
            >
            <form method="post" action="/account/passkeys/remove">
              ${csrfField(person)}<input type="hidden" name="passkey" value="${passkey.id}" /><button
                class="quiet"
                aria-label="Remove passkey ${passkey.label}"
              >
                Remove
              </button>
            </form>
          </li>`,
      )}
      ${
        hasPassword &&
        html`<li>
          <span>Password</span>
          <form method="post" action="/account/password/remove">
            ${csrfField(person)}<button class="quiet" aria-label="Remove the password">Remove</button>
          </form>
        </li>`
      }
      ${accounts.map(({ issuer }) => html`<li><span>Account at ${issuer}</span></li>`)}
    </ul>
    ${
      people.oidc === null || accounts.length > 0
        ? null
        : html`<form method="post" action="/account/oidc">
            ${csrfField(person)}<button>Link your account at ${people.config.oidc.label}</button>
          </form>`
    }
    ${
      origin.passkeyId !== null &&
      html`<form method="post" action="/account/passkeys" data-passkey="create">
        ${csrfField(person)}
        <label for="label">Another device</label>
        <input id="label" name="label" maxlength="60" placeholder="phone" />
        <button>Add a passkey</button>
      </form>`
    }
    ${
      people.config.passwords &&
      html`<form method="post" action="/account/password">
        ${csrfField(person)}
        <input type="hidden" name="name" value="${person.userId}" autocomplete="username" />
        ${newPasswordFields(hasPassword ? 'Another password' : 'A password')}
        <button>${hasPassword ? 'Change the password' : 'Set a password'}</button>
      </form>`
    }
  </section>`
}

function sessionSection({ people }: PageVisit, person: SignedIn): Html {
  const sessions = people.sessions.list(person.userId).sort((left, right) => right.lastUsedAtMs - left.lastUsedAtMs)
  return html`<section>
    <h2>Where you are signed in</h2>
    <ul class="rows">
      ${sessions.map(
        (session) =>
          html`<li>
            <span
              >${session.claimedName ?? 'a browser'}<br /><small
                >${session.address}, by ${session.method}, since ${day(session.beganAtMs)}</small
              ></span
            >
            ${
              session.id === person.sessionId
                ? html`<strong>this one</strong>`
                : html`<form method="post" action="/account/sessions/end">
                    ${csrfField(person)}<input type="hidden" name="session" value="${session.id}" /><button
                      class="quiet"
                    >
                      End
                    </button>
                  </form>`
            }
          </li>`,
      )}
    </ul>
    ${sessions.length > 1 && html`<form method="post" action="/account/sessions/end-others">${csrfField(person)}<button class="quiet">End all others</button></form>`}
  </section>`
}

function csrfField({ csrf }: SignedIn): Html {
  return html`<input type="hidden" name="csrf" value="${csrf}" />`
}

function rows(items: readonly Html[], none: string): Html {
  return items.length === 0
    ? html`<p class="soft">${none}</p>`
    : html`<ul class="rows">
        ${items}
      </ul>`
}

function day(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}
