"""Docstrings in Google, NumPy and Sphinx style: the description, and a sentence for each parameter."""

import re

SECTIONS = (
    "args arguments parameters params attributes keyword-args keyword-arguments other-parameters returns return yields "
    "raises example examples note notes warning warnings see-also references todo"
).split()
PARAMETERS = {"args", "arguments", "parameters", "params", "attributes", "keyword-args", "keyword-arguments", "other-parameters"}
SPHINX = re.compile(r"^:(?:param|parameter|arg|argument|key|var|ivar)\s+(?:[^:]*\s)?\*{0,2}(\w+)\s*:\s*(.*)$")
GOOGLE = re.compile(r"^\*{0,2}(\w+)\s*(?:\([^)]*\))?\s*:\s*(.*)$")
NUMPY = re.compile(r"^\*{0,2}(\w+(?:\s*,\s*\w+)*)\s*(?::.*)?$")


def section_of(line, following):
    """The section that a line opens, in lower case; None where it opens none."""
    text = line.strip()
    name = text.rstrip(":").lower().replace(" ", "-")
    if name not in SECTIONS:
        return None
    underlined = re.fullmatch(r"\s*-{3,}\s*", following) is not None
    return name if text.endswith(":") or underlined else None


def indent_of(line):
    return len(line) - len(line.lstrip())


def parse_docstring(text):
    """`{description, parameters}`. Takes text that `ast.get_docstring` has cleaned, or None."""
    lines = (text or "").split("\n")
    description, parameters = [], {}
    section, base, current = None, None, None
    for index, line in enumerate(lines):
        following = lines[index + 1] if index + 1 < len(lines) else ""
        opened = section_of(line, following)
        sphinx = SPHINX.match(line.strip())
        if opened is not None:
            section, base, current = opened, None, None
        elif sphinx is not None:
            section, current = "sphinx", sphinx.group(1)
            parameters[current] = [sphinx.group(2)]
        elif line.strip().startswith(":") and re.match(r"^:\w+[^:]*:", line.strip()):
            section, current = "sphinx", None
        elif section is None:
            description.append(line)
        elif section == "sphinx" and current is not None:
            parameters[current].append(line)
        elif section in PARAMETERS and line.strip() and not re.fullmatch(r"\s*-{3,}\s*", line):
            base = indent_of(line) if base is None else base
            if indent_of(line) > base and current is not None:
                parameters[current].append(line)
                continue
            match = GOOGLE.match(line.strip()) if base > 0 else NUMPY.match(line.strip())
            current = None if match is None else match.group(1).split(",")[0].strip()
            if current is not None:
                parameters[current] = [match.group(2)] if base > 0 else []
    sentences = {name: " ".join(" ".join(parts).split()) for name, parts in parameters.items()}
    paragraphs = [" ".join(part.split()) for part in re.split(r"\n\s*\n", "\n".join(description).strip())]
    return {
        "description": "\n\n".join(part for part in paragraphs if part) or None,
        "parameters": {name: sentence for name, sentence in sentences.items() if sentence},
    }
