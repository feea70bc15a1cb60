"""Calls a hosted function with its arguments in the form that its signature asks for.

One parameter named `input` gets the whole object (as a dataclass if its type is one); any other signature gets the
members by name. Dataclasses, tuples, sets and dates in the result become JSON.
"""

import importlib.util
import os
import sys

# Set when the version is put together: plain identifiers, checked before.
TARGET_MODULE = "@module@"
TARGET_FUNCTION = "@function@"


def load():
    """The author's file, by its path: its name may be that of a module of the standard library."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), TARGET_MODULE + ".py")
    name = "_function_" + TARGET_MODULE
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


module = load()
function = getattr(module, TARGET_FUNCTION)


def parameter_names(target):
    while hasattr(target, "__wrapped__"):
        target = target.__wrapped__
    code = getattr(target, "__code__", None)
    return () if code is None else code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]


def resolve(annotation):
    if isinstance(annotation, str):
        return getattr(module, annotation, annotation)
    return annotation


def to_declared(value, annotation):
    """The value with dataclasses made where the annotation names them."""
    annotation = resolve(annotation)
    fields = getattr(annotation, "__dataclass_fields__", None)
    if fields is not None and isinstance(value, dict):
        return annotation(**{name: to_declared(item, fields[name].type if name in fields else None) for name, item in value.items()})
    inner = getattr(annotation, "__args__", ())
    origin = getattr(annotation, "__origin__", None)
    if origin is list and inner and isinstance(value, list):
        return [to_declared(item, inner[0]) for item in value]
    if origin is dict and len(inner) == 2 and isinstance(value, dict):
        return {name: to_declared(item, inner[1]) for name, item in value.items()}
    if isinstance(value, dict):
        # Optional[X] and X | None: the one member that is a dataclass.
        records = [item for item in inner if hasattr(resolve(item), "__dataclass_fields__")]
        if len(records) == 1:
            return to_declared(value, records[0])
    return value


def to_json(value):
    """The value with Python's own types replaced by what JSON has."""
    if isinstance(value, dict):
        return {name: to_json(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted(to_json(item) for item in value)
    fields = getattr(value, "__dataclass_fields__", None)
    if fields is not None and not isinstance(value, type):
        return {name: to_json(getattr(value, name)) for name in fields}
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return value


def call(input):
    annotations = getattr(function, "__annotations__", {})
    if parameter_names(function) == ("input",):
        value = function(to_declared(input, annotations.get("input")))
    else:
        value = function(**{name: to_declared(item, annotations.get(name)) for name, item in input.items()})
    if not hasattr(type(value), "__await__"):
        return to_json(value)

    async def finish():
        return to_json(await value)

    # Whoever called waits for it.
    return finish()
