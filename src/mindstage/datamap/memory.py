"""Find the memory of the process: every name of a module that is changed while the program runs.

The source is read, not run. Found are names that a function binds anew (`global`), changes in place or sets (a context
variable, an attribute), objects of the program's own classes that change themselves, changed attributes of classes, and
functions that remember their answers by arguments. Not found is what a function changes through another name for it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import starmap
from pathlib import Path
from typing import Final

import mindstage

CHANGES: Final = re.compile(
    "append(left)?|extend(left)?|add|update|setdefault|pop(left|item)?|clear|insert|remove|discard|move_to_end|subtract|"
    "put(_nowait)?|set|reset|sort|reverse|(symmetric_)?(difference|intersection)_update"
)
"""Methods that change what they are called on."""
CONTAINERS: Final = re.compile(
    "dict|list|set|bytearray|deque|defaultdict|OrderedDict|Counter|Weak(Key|Value)Dictionary|WeakSet"
)
REMEMBERING: Final = re.compile("cache|lru_cache")
BEGINNINGS: Final = frozenset({"__init__", "__post_init__", "__new__", "__set_name__"})
FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


@cache
def memory_of_program() -> frozenset[str]:
    """Dotted names of all that this program changes in its memory and keeps under a module's name."""
    return frozenset(find_memory(Path(mindstage.__file__).parent))


def find_memory(package: Path) -> Iterator[str]:
    """Dotted names of all that the code of a package changes under a module's name."""
    modules = {module.name: module for module in starmap(_read, _files(package))}
    for module in modules.values():
        yield from _caches(module)
        yield from _selves(module, modules)
        for name in _changed(module):
            if found := _find(name, module, modules):
                yield found


def _files(package: Path) -> Iterator[tuple[str, Path]]:
    """Each module of a package: its dotted name, its file."""
    for file in sorted(package.rglob("*.py")):
        parts = file.relative_to(package.parent).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), file


@dataclass
class _Module:
    name: str
    tree: ast.Module
    values: dict[str, ast.expr | None] = field(default_factory=dict)
    """Names that the module itself binds, to what."""
    classes: dict[str, ast.ClassDef] = field(default_factory=dict)
    imports: dict[str, str] = field(default_factory=dict)
    """Imported names, wherever the import stands -> what they are, dotted."""


def _read(name: str, file: Path) -> _Module:
    module = _Module(name, ast.parse(file.read_bytes()))
    for node in _outside_functions(module.tree.body):
        if isinstance(node, ast.ClassDef):
            module.classes[node.name] = node
        for target, value in _bindings(node):
            module.values[target] = value
    for other in ast.walk(module.tree):
        if isinstance(other, ast.Import):
            module.imports |= {alias.asname: alias.name for alias in other.names if alias.asname}
        elif isinstance(other, ast.ImportFrom):
            module.imports |= {alias.asname or alias.name: f"{other.module}.{alias.name}" for alias in other.names}
    return module


def _outside_functions(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """A module's or a class's own statements, also those under an `if`, `try` or `with`."""
    for node in body:
        yield node
        if not isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            yield from _outside_functions(
                child for child in ast.walk(node) if isinstance(child, ast.stmt) and child is not node
            )


def _bindings(node: ast.AST) -> Iterator[tuple[str, ast.expr | None]]:
    """Names that a statement binds, with their values."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Name):
                yield target.id, node.value
            elif isinstance(target, ast.Tuple):
                yield from ((item.id, None) for item in target.elts if isinstance(item, ast.Name))
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        yield node.target.id, node.value


def _caches(module: _Module) -> Iterator[str]:
    """Functions that remember an answer for each argument. Without one they remember a value of the program."""
    functions = (node for node in ast.walk(module.tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))
    for function in functions:
        remembers = any(REMEMBERING.fullmatch(_last(one)) for one in function.decorator_list)
        if remembers and ast.unparse(function.args):
            yield f"{module.name}.{function.name}"


def _selves(module: _Module, modules: dict[str, _Module]) -> Iterator[str]:
    """Objects of the program's own classes that change themselves after their beginning."""
    for name, value in module.values.items():
        kind = _class(_dotted(value.func), module, modules) if isinstance(value, ast.Call) else None
        if kind and any(True for method in _methods(kind) for _ in _changes_of_self(method)):
            yield f"{module.name}.{name}"


def _class(path: tuple[str, ...], module: _Module, modules: dict[str, _Module]) -> ast.ClassDef | None:
    home, name = _home(path, module, modules)
    return home.classes.get(name) if home else None


def _methods(kind: ast.ClassDef) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in kind.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name not in BEGINNINGS:
            yield node


def _changes_of_self(method: ast.AST) -> Iterator[tuple[str, ...]]:
    return (path for path in _changed_paths(_inside(method)) if len(path) > 1 and path[0] in {"self", "cls"})


def _changed(module: _Module) -> Iterator[tuple[str, ...]]:
    """Paths of names that functions of a module change and that are no names of their own."""
    yield from _in_scope(module.tree, frozenset())
    for kind in (node for node in ast.walk(module.tree) if isinstance(node, ast.ClassDef)):
        for path in (path for method in _methods(kind) for path in _changes_of_self(method)):
            if path[1] in _shared(kind):
                yield kind.name, path[1]


def _shared(kind: ast.ClassDef) -> set[str]:
    return {name for node in kind.body for name, value in _bindings(node) if _is_container(value)}


def _is_container(value: ast.expr | None) -> bool:
    """Whether a class's own value is one that its objects share and can change in place."""
    displays = (ast.Dict, ast.List, ast.Set, ast.DictComp, ast.ListComp, ast.SetComp)
    return isinstance(value, displays) or (isinstance(value, ast.Call) and bool(CONTAINERS.fullmatch(_last(value))))


def _last(node: ast.expr) -> str:
    """`c` of `a.b.c`, called or not."""
    return "".join(_dotted(node.func if isinstance(node, ast.Call) else node)[-1:])


def _in_scope(scope: ast.AST, own: frozenset[str]) -> Iterator[tuple[str, ...]]:
    """Changes in the functions under a node; `own`: names that the functions around it bind themselves."""
    for node in ast.iter_child_nodes(scope):
        if not isinstance(node, FUNCTIONS):
            yield from _in_scope(node, own)
            continue
        inside = tuple(_inside(node))
        shared = {name for one in inside if isinstance(one, ast.Global) for name in one.names}
        bound = {one.id for one in inside if isinstance(one, ast.Name) and not isinstance(one.ctx, ast.Load)}
        yield from ((name,) for name in shared & bound)
        names = (own | bound | {one.arg for one in ast.walk(node.args) if isinstance(one, ast.arg)}) - shared
        yield from (path for path in _changed_paths(inside) if path[0] not in names)
        yield from _in_scope(node, names)


def _inside(function: ast.AST) -> Iterator[ast.AST]:
    """What stands in a function itself, not in one within it."""
    for node in ast.iter_child_nodes(function):
        yield node
        if not isinstance(node, FUNCTIONS):
            yield from _inside(node)


def _changed_paths(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, ...]]:
    """What is changed in place: `a.b` for `a.b[x] = y` and `a.b.append(y)`, `a.b.c` for `a.b.c = y`."""
    for node in nodes:
        if isinstance(node, (ast.Attribute, ast.Subscript)) and not isinstance(node.ctx, ast.Load):
            path = _dotted(node)
        elif isinstance(node, ast.Attribute) and CHANGES.fullmatch(node.attr):
            path = _dotted(node.value)
        else:
            continue
        if path:
            yield path


def _dotted(node: ast.expr) -> tuple[str, ...]:
    """`a.b` for `a.b`, `a.b[x]` and `a[x].b`; nothing where it does not begin with a name."""
    match node:
        case ast.Name():
            return (node.id,)
        case ast.Attribute():
            return (*inner, node.attr) if (inner := _dotted(node.value)) else ()
        case ast.Subscript():
            return _dotted(node.value)
    return ()


def _find(path: tuple[str, ...], module: _Module, modules: dict[str, _Module]) -> str | None:
    """The dotted name of what a path changes, if a module of the program keeps it."""
    home, name = _home(path, module, modules)
    if home is None:
        return None
    if name in home.classes:
        return next((f"{home.name}.{name}.{own}" for own in path[-1:] if own in _shared(home.classes[name])), None)
    return f"{home.name}.{name}" if name in home.values else None


def _home(path: tuple[str, ...], module: _Module, modules: dict[str, _Module]) -> tuple[_Module | None, str]:
    """The module that keeps what a path begins with, and its name there."""
    if not path or path[0] not in module.imports:
        return module, path[0] if path else ""
    whole = (*module.imports[path[0]].split("."), *path[1:])
    for length in range(len(whole) - 1, 0, -1):
        if (found := modules.get(".".join(whole[:length]))) is not None:
            return found, whole[length]
    return None, ""
