"""JSON Schemas from Python annotations."""

import ast

from docstring import parse_docstring
from python_module import MAX_DEPTH, Problem, last_name, literal

SCALARS = {"str": "string", "int": "integer", "float": "number", "bool": "boolean", "None": "null"}
LISTS = {"list", "List", "Sequence", "Iterable", "Collection"}
OUTPUT_LISTS = {"set", "Set", "frozenset", "FrozenSet", "Iterator"}
MAPPINGS = {"dict", "Dict", "Mapping", "MutableMapping"}
DATES = {"date": "date", "datetime": "date-time", "time": "time"}
WRAPPERS = {"Required", "NotRequired", "ReadOnly", "Final", "ClassVar"}


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
