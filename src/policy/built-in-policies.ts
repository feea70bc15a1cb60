/** The name under which the platform's own policies appear where a file's name would. */
export const builtInFile = 'builtin'

/** The roles that the platform's own policies speak of. A namespace's policies may name others. */
export const builtInRoles: readonly string[] = ['owner', 'admin', 'author', 'approver', 'auditor', 'viewer']

/**
 * The platform's own policies. They are part of every set, are hashed into it, and are shown to people like any other.
 * A `forbid` here cannot be overridden, because in Cedar a forbid always beats a permit. No agent gets anything by
 * them: what an agent may do is in the namespace's own files. `docs/identity.md` has the roles as a table.
 */
export const builtInPolicies = `@id("namespace-boundary")
@reason("Agents and users of one namespace reach nothing in another.")
forbid (principal, action, resource)
when { principal has namespace && !(resource in principal.namespace) };

@id("agents-never-manage")
@reason("Agents do not change agents, keys, functions or policies, and approve nothing.")
forbid (principal is Agent, action in [Action::"manage", Action::"approve"], resource);

@id("never-the-requester")
@reason("Nobody decides on their own call, nor whoever acts with the same token.")
forbid (principal, action == Action::"approve", resource)
when { context.requester.self };

@id("who-may-enter")
@reason("Who may enter is for owners and admins to say, whatever the policies of a namespace permit.")
forbid (principal is User, action == Action::"manage", resource)
unless {
  principal in Role::"owner" || principal in Role::"admin" ||
  context.operation like "*.list" || context.operation like "*.show" ||
  ["state.apply", "function.add", "policy.check", "policy.test", "policy.analyze", "policy.can", "policy.facts", "policy.template", "policy.explain", "policy.history", "policy.activate",
   "shadow.set", "shadow.clear",
   "platform.doctor", "upstream.connect-own"].contains(context.operation)
};

@id("owners-only")
@reason("Only owners make and change owners.")
forbid (principal is User, action == Action::"manage", resource)
when { context.operation == "role.owner" }
unless { principal in Role::"owner" };

@id("recent-sign-in")
@reason("This needs a sign-in of the last ten minutes.")
@remedy("Sign in again, then repeat it.")
forbid (principal is User, action == Action::"manage", resource)
when {
  context.authn.method == "session" && context.authn.age_seconds > 600 &&
  (context.operation like "user.*" || context.operation like "role.*" || context.operation == "namespace.open") &&
  !(context.operation like "*.list" || context.operation like "*.show")
};

@id("owners-manage")
@reason("Owners run the namespace and read its records.")
permit (principal is User in Role::"owner", action in [Action::"manage", Action::"audit"], resource is Namespace);

@id("admins-manage")
@reason("Admins do what owners do, but for what concerns owners.")
permit (principal is User in Role::"admin", action in [Action::"manage", Action::"audit"], resource is Namespace);

@id("authors-write")
@reason("Authors write functions and policies.")
permit (principal is User in Role::"author", action == Action::"manage", resource is Namespace)
when {
  ["namespace.list", "agent.list", "agent.show", "function.list", "function.show", "function.add", "state.apply",
   "policy.check", "policy.test", "policy.analyze", "policy.can", "policy.facts", "policy.template", "policy.explain", "policy.history", "policy.show", "policy.activate",
   "shadow.set", "shadow.clear"].contains(context.operation)
};

@id("approvers-approve")
@reason("Approvers answer calls that wait for a person, and see what those calls are about.")
permit (principal is User in Role::"approver", action == Action::"approve", resource);

@id("owners-approve")
@reason("Owners and admins answer calls that wait for a person.")
permit (principal is User, action == Action::"approve", resource)
when { principal in Role::"owner" || principal in Role::"admin" };

@id("approvers-see")
@reason("Approvers answer calls that wait for a person, and see what those calls are about.")
permit (principal is User in Role::"approver", action == Action::"manage", resource is Namespace)
when {
  ["namespace.list", "agent.list", "agent.show", "function.list", "function.show", "policy.explain", "approval.list"]
    .contains(context.operation)
};

@id("auditors-read")
@reason("Auditors read records.")
permit (principal is User in Role::"auditor", action == Action::"audit", resource is Namespace);

@id("auditors-see")
@reason("Auditors see everything that is set up and change nothing.")
permit (principal is User in Role::"auditor", action == Action::"manage", resource is Namespace)
when {
  context.operation like "*.list" || context.operation like "*.show" ||
  ["policy.check", "policy.test", "policy.analyze", "policy.can", "policy.facts", "policy.template", "policy.explain", "policy.history", "platform.doctor"].contains(context.operation)
};

@id("viewers-see")
@reason("Viewers see namespaces, agents and functions.")
permit (principal is User in Role::"viewer", action == Action::"manage", resource is Namespace)
when {
  ["namespace.list", "agent.list", "agent.show", "function.list", "function.show", "platform.doctor"]
    .contains(context.operation)
};
`
