/** The name under which the platform's own policies appear where a file's name would. */
export const builtInFile = 'builtin'

/**
 * The platform's own policies. They are part of every set, are hashed into it, and are shown to people like any other.
 * A `forbid` here cannot be overridden, because in Cedar a forbid always beats a permit. No agent gets anything by
 * them: what an agent may do is in the namespace's own files.
 */
export const builtInPolicies = `@id("namespace-boundary")
@reason("Agents and users of one namespace reach nothing in another.")
forbid (principal, action, resource)
when { principal has namespace && !(resource in principal.namespace) };

@id("agents-never-manage")
@reason("Agents do not change agents, keys, functions or policies, and approve nothing.")
forbid (principal is Agent, action in [Action::"manage", Action::"approve"], resource);

@id("owners-manage")
@reason("Owners run the namespace and read its records.")
permit (principal is User in Role::"owner", action in [Action::"manage", Action::"audit"], resource is Namespace);
`
