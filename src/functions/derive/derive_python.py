"""Reads a hosted function's signature without running it: JSON Schemas from type hints, text from docstrings.

Runs in the sandbox, beside a folder `source/` that holds the function's files. Only parses them. What it returns is
still hostile input to the server, because a file that breaks the parser could decide what comes out.
"""

import ast
import os

from docstring import parse_docstring

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "source")
SCALARS = {"str": "string", "int": "integer", "float": "number", "bool": "boolean", "None": "null"}
LISTS = {"list", "List", "Sequence", "Iterable", "Collection"}
OUTPUT_LISTS = {"set", "Set", "frozenset", "FrozenSet", "Iterator"}
MAPPINGS = {"dict", "Dict", "Mapping", "MutableMapping"}
DATES = {"date": "date", "datetime": "date-time", "time": "time"}
WRAPPERS = {"Required", "NotRequired", "ReadOnly", "Final", "ClassVar"}
MAX_DEPTH = 16


class Problem(Exception):
    """What cannot be derived, where, and what to write instead."""

    def __init__(self, module, node, message, hint=None):
        super().__init__(message)
        self.row = {
            "file": module.file,
            "line": getattr(node, "lineno", 1),
            "column": getattr(node, "col_offset", 0) + 1,
            "message": message,
            "hint": hint,
        }


class Module:
    """One parsed file and the names at its top level."""

    def __init__(self, file):
        self.file = file
        with open(os.path.join(SOURCE, file), encoding="utf-8-sig") as source:
            self.tree = ast.parse(source.read(), file)
        self.names = {}
        self.imports = {}
        for node in self.tree.body:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                self.names[node.name] = node
            elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                self.names[node.targets[0].id] = node.value
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
                self.names[node.target.id] = node.value
            elif type(node).__name__ == "TypeAlias":
                self.names[node.name.id] = node.value
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                for alias in node.names:
                    self.imports[alias.asname or alias.name] = (node.module, alias.name)

    def find(self, name, depth=0):
        """The module and node behind a name, followed through imports of the function's own files."""
        if name in self.names:
            return self, self.names[name]
        if name in self.imports and depth < MAX_DEPTH:
            module, original = self.imports[name]
            path = module.replace(".", "/")
            for file in (path + ".py", path + "/__init__.py"):
                if os.path.isfile(os.path.join(SOURCE, file)):
                    return Module(file).find(original, depth + 1)
        return None


def last_name(node):
    """`Optional` for both `Optional` and `typing.Optional`."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else None


def literal(node):
    """The value of a JSON-like literal, wrapped in a list; None where it is something else."""
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError):
        return None
    return [value] if is_json(value) else None


def is_json(value):
    if value is None or isinstance(value, (bool, int, str)):
        return True
    if isinstance(value, float):
        return value == value and abs(value) != float("inf")
    if isinstance(value, list):
        return all(is_json(item) for item in value)
    return isinstance(value, dict) and all(isinstance(key, str) and is_json(item) for key, item in value.items())


def without_null(schema):
    if isinstance(schema.get("type"), list):
        types = [name for name in schema["type"] if name != "null"]
        return {**schema, "type": types if len(types) > 1 else types[0]}
    if "anyOf" in schema:
        others = [part for part in schema["anyOf"] if part != {"type": "null"}]
        rest = {name: value for name, value in schema.items() if name != "anyOf"}
        return {**others[0], **rest} if len(others) == 1 else {**rest, "anyOf": others}
    return schema


class Deriver:
    """Turns annotations into schemas. Inputs are closed objects; outputs may hold more than they say."""

    def __init__(self, is_output):
        self.is_output = is_output
        self.open_classes = []

    def schema(self, module, node, depth=0):
        if depth > MAX_DEPTH:
            raise Problem(module, node, "the type is nested too deeply", "give the schema in service.yaml")
        if isinstance(node, ast.Constant):
            if node.value is None:
                return {"type": "null"}
            if isinstance(node.value, str):
                try:
                    inner = ast.parse(node.value.strip(), mode="eval").body
                except SyntaxError:
                    raise Problem(module, node, "the quoted type is not valid Python") from None
                return self.schema(module, ast.copy_location(inner, node), depth + 1)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            return self.union(module, node, [node.left, node.right], depth)
        if isinstance(node, ast.Subscript):
            return self.subscript(module, node, depth)
        name = last_name(node)
        if name is None:
            raise Problem(module, node, "this type cannot be turned into a JSON Schema", "give the schema in service.yaml")
        found = module.find(name) if isinstance(node, ast.Name) else None
        if found is not None:
            return self.named(found[0], found[1], name, node, depth)
        return self.builtin(module, node, name)

    def builtin(self, module, node, name):
        if name in SCALARS:
            return {"type": SCALARS[name]}
        if name in ("Any", "object"):
            return {}
        if name in LISTS or (self.is_output and (name in OUTPUT_LISTS or name in ("tuple", "Tuple"))):
            return {"type": "array"}
        if name in MAPPINGS:
            return {"type": "object"}
        if self.is_output and name in DATES:
            return {"type": "string", "format": DATES[name]}
        hint = "arguments arrive as JSON: write str, int, float, bool, list, dict, Literal, a TypedDict or a dataclass"
        raise Problem(module, node, "the type %s has no JSON form here" % name, None if self.is_output else hint)

    def named(self, module, target, name, use, depth):
        if not isinstance(target, ast.ClassDef):
            return self.schema(module, target, depth + 1)
        if target in self.open_classes:
            raise Problem(module, use, "%s refers to itself" % name, "give the schema in service.yaml, with $ref")
        self.open_classes.append(target)
        try:
            return self.record(module, target, depth)
        finally:
            self.open_classes.pop()

    def union(self, module, node, members, depth):
        schemas = []
        for member in members:
            schema = self.schema(module, member, depth + 1)
            for part in schema["anyOf"] if set(schema) == {"anyOf"} else [schema]:
                if part == {}:
                    return {}
                if part not in schemas:
                    schemas.append(part)
        if all(set(part) == {"type"} for part in schemas):
            types = []
            for part in schemas:
                types += [t for t in (part["type"] if isinstance(part["type"], list) else [part["type"]]) if t not in types]
            return {"type": types if len(types) > 1 else types[0]}
        return {"anyOf": schemas}

    def subscript(self, module, node, depth):
        name = last_name(node.value)
        inner = node.slice
        items = inner.elts if isinstance(inner, ast.Tuple) else [inner]
        if name == "Optional":
            return self.union(module, node, [inner, ast.copy_location(ast.Constant(None), node)], depth)
        if name == "Union":
            return self.union(module, node, items, depth)
        if name == "Literal":
            return self.enum(module, node, items)
        if name == "Annotated":
            schema = dict(self.schema(module, items[0], depth + 1))
            for extra in items[1:]:
                if isinstance(extra, ast.Constant) and isinstance(extra.value, str):
                    schema["description"] = extra.value
            return schema
        if name in WRAPPERS:
            return self.schema(module, inner, depth + 1)
        if name in LISTS or (self.is_output and name in OUTPUT_LISTS):
            return {"type": "array", "items": self.schema(module, inner, depth + 1)}
        if name in ("tuple", "Tuple") and self.is_output:
            if len(items) == 2 and isinstance(items[1], ast.Constant) and items[1].value is Ellipsis:
                return {"type": "array", "items": self.schema(module, items[0], depth + 1)}
            parts = [self.schema(module, item, depth + 1) for item in items]
            return {"type": "array", "prefixItems": parts, "minItems": len(parts), "maxItems": len(parts)}
        if name in MAPPINGS and len(items) == 2:
            if last_name(items[0]) != "str":
                raise Problem(module, items[0], "JSON objects have text keys", "write dict[str, ...]")
            return {"type": "object", "additionalProperties": self.schema(module, items[1], depth + 1)}
        raise Problem(module, node, "the type %s[...] has no JSON form here" % name, "give the schema in service.yaml")

    def enum(self, module, node, items):
        values = [literal(item) for item in items]
        if any(value is None for value in values):
            raise Problem(module, node, "Literal takes text, numbers, True, False and None")
        values = [value[0] for value in values]
        types = {type(value) for value in values}
        known = {str: "string", bool: "boolean", int: "integer"}
        if len(types) == 1 and types <= set(known):
            return {"type": known[types.pop()], "enum": values}
        return {"enum": values}

    def record(self, module, node, depth):
        """A TypedDict or dataclass as an object schema."""
        properties, required = {}, []
        self.collect(module, node, properties, required, depth)
        schema = {"type": "object", "properties": properties}
        if required:
            schema["required"] = required
        if not self.is_output:
            schema["additionalProperties"] = False
        return schema

    def collect(self, module, node, properties, required, depth):
        kinds = {last_name(base) for base in node.bases}
        is_dataclass = any(
            last_name(item.func if isinstance(item, ast.Call) else item) == "dataclass" for item in node.decorator_list
        )
        inherits = False
        for base in node.bases:
            found = module.find(base.id) if isinstance(base, ast.Name) else None
            if found is not None and isinstance(found[1], ast.ClassDef) and depth < MAX_DEPTH:
                self.collect(found[0], found[1], properties, required, depth + 1)
                inherits = True
        if not (is_dataclass or "TypedDict" in kinds or inherits):
            raise Problem(module, node, "class %s is neither a TypedDict nor a dataclass" % node.name, "make it a TypedDict")
        total = not any(word.arg == "total" and literal(word.value) == [False] for word in node.keywords)
        texts = parse_docstring(ast.get_docstring(node))["parameters"]
        for index, item in enumerate(node.body):
            if not isinstance(item, ast.AnnAssign) or not isinstance(item.target, ast.Name):
                continue
            name = item.target.id
            wrapper = last_name(item.annotation.value) if isinstance(item.annotation, ast.Subscript) else None
            if wrapper == "ClassVar":
                continue
            schema = self.schema(module, item.annotation, depth + 1)
            following = node.body[index + 1] if index + 1 < len(node.body) else None
            if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
                if isinstance(following.value.value, str):
                    texts.setdefault(name, " ".join(following.value.value.split()))
            if name in texts:
                schema = {**schema, "description": texts[name]}
            default = literal(item.value) if item.value is not None else None
            if default is not None:
                schema = {**schema, "default": default[0]}
            properties[name] = schema
            optional = wrapper == "NotRequired" or item.value is not None or (not total and wrapper != "Required")
            if not optional and name not in required:
                required.append(name)


def derive_input(module, function, texts, problems):
    """The schema of the one object that callers send."""
    deriver = Deriver(False)
    arguments = function.args
    for star, text in ((arguments.vararg, "*"), (arguments.kwarg, "**")):
        if star is not None:
            problems.append(Problem(module, star, "%s%s cannot be described" % (text, star.arg), "name each parameter").row)
    for only in arguments.posonlyargs:
        problems.append(Problem(module, only, "%s can only be given by position" % only.arg, "remove the /").row)
    positional = arguments.args
    if len(positional) == 1 and positional[0].arg == "input" and not arguments.kwonlyargs:
        annotation = positional[0].annotation
        if annotation is None:
            problems.append(Problem(module, positional[0], "input has no type", "write a TypedDict for it, or name the parameters").row)
            return None
        schema = deriver.schema(module, annotation)
        if schema.get("type") != "object":
            problems.append(Problem(module, annotation, "input is always an object", "write a TypedDict, a dataclass or dict").row)
        return schema
    absent = object()
    defaults = [absent] * (len(positional) - len(arguments.defaults)) + list(arguments.defaults)
    defaults += [absent if default is None else default for default in arguments.kw_defaults]
    properties, required = {}, []
    for parameter, default in zip(positional + arguments.kwonlyargs, defaults):
        name = parameter.arg
        if parameter.annotation is None:
            problems.append(Problem(module, parameter, "the parameter %s has no type" % name, "write for example %s: str" % name).row)
            continue
        try:
            schema = deriver.schema(module, parameter.annotation)
        except Problem as problem:
            problem.row["message"] = "the parameter %s: %s" % (name, problem.row["message"])
            problems.append(problem.row)
            continue
        if name in texts:
            schema = {**schema, "description": texts[name]}
        value = None if default is absent else literal(default)
        if value == [None]:
            # `region: Optional[str] = None`: the way to say nothing is to leave it out.
            schema = without_null(schema)
        elif value is not None:
            schema = {**schema, "default": value[0]}
        properties[name] = schema
        if default is absent:
            required.append(name)
    result = {"type": "object", "properties": properties}
    if required:
        result["required"] = required
    result["additionalProperties"] = False
    return result


def derive_output(module, function):
    if function.returns is None or (isinstance(function.returns, ast.Constant) and function.returns.value is None):
        return None
    return Deriver(True).schema(module, function.returns) or None


def find_function(module, entry):
    function = module.names.get(entry)
    if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return function
    names = [name for name, node in module.names.items() if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    hint = "the file has: %s" % ", ".join(names[:10]) if names else "write def %s(...)" % entry
    raise Problem(module, None, "there is no function %s at the top level of the file" % entry, hint)


def guarded(section, problems, compute):
    """Runs one part; its problems do not hide those of the others."""
    try:
        return compute()
    except Problem as problem:
        problems.append({**problem.row, "section": section})
        return None


def derive(input: dict):
    """The signature of `input["entry"]` in `input["file"]`."""
    file, entry = input["file"], input["entry"]
    empty = {"description": None, "inputSchema": None, "outputSchema": None}
    try:
        module = Module(file)
        function = find_function(module, entry)
    except Problem as problem:
        return {**empty, "problems": [{**problem.row, "section": "entry"}]}
    except SyntaxError as error:
        row = {"file": error.filename or file, "line": error.lineno or 1, "column": max(error.offset or 1, 1)}
        return {**empty, "problems": [{**row, "message": str(error.msg), "hint": None, "section": "entry"}]}
    except (ValueError, RecursionError, MemoryError) as error:
        row = {"file": file, "line": 1, "column": 1, "message": "the file cannot be parsed: %s" % type(error).__name__}
        return {**empty, "problems": [{**row, "hint": None, "section": "entry"}]}
    docstring = parse_docstring(ast.get_docstring(function))
    problems, input_problems = [], []
    input_schema = guarded("input", problems, lambda: derive_input(module, function, docstring["parameters"], input_problems))
    output_schema = guarded("output", problems, lambda: derive_output(module, function))
    return {
        "description": docstring["description"],
        "inputSchema": None if input_problems else input_schema,
        "outputSchema": output_schema,
        "problems": problems + [{**row, "section": "input"} for row in input_problems],
    }
