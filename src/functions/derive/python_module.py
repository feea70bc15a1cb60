"""The files of a hosted function, parsed and never run, and what cannot be derived from them."""

import ast
import os

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "source")
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
