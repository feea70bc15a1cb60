"""Reads a hosted function's signature without running it: JSON Schemas from type hints, text from docstrings.

Runs in the sandbox, beside a folder `source/` that holds the function's files. Only parses them. What it returns is
still hostile input to the server, because a file that breaks the parser could decide what comes out.
"""

import ast

from docstring import parse_docstring
from python_module import Module, Problem, literal
from python_types import Deriver, without_null


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
