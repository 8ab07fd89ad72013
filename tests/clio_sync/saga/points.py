"""What the source says about crash points: where they lie, and which calls to Clio lie between two."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3] / "clio_sync"
POINT = re.compile(r"[A-Z]\d\d")
CLIENTS = {"work.clio", "self.clio"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def named() -> set[str]:
    """The points that any module of clio_sync comes to; a table from an error to its point counts."""
    return {name for path in _modules() for name in _names_in(path)}


def unguarded(folder: Path = ROOT / "filing") -> list[str]:
    """Calls to Clio, while filing, without a crash point before them or after them in their function."""
    return [
        f"{path.name}:{call.lineno} {ast.unparse(call.func)}"
        for path in sorted(folder.rglob("*.py"))
        for function in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(function, Function)
        for call in _calls_to_clio(function)
        if not _has_both_sides(function, call)
    ]


def calls_to_clio(folder: Path = ROOT / "filing") -> set[str]:
    """The methods of the client that filing uses."""
    return {
        call.func.attr
        for path in folder.rglob("*.py")
        for function in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(function, Function)
        for call in _calls_to_clio(function)
        if isinstance(call.func, ast.Attribute)
    }


def _modules() -> Iterator[Path]:
    return (path for path in ROOT.rglob("*.py") if "sandbox" not in path.parts and path.stem != "crashpoints")


def _names_in(path: Path) -> set[str]:
    source = path.read_text("utf-8")
    if "crashpoint(" not in source:
        return set()
    constants = (node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant))
    return {value for value in constants if isinstance(value, str) and POINT.fullmatch(value)}


def _calls_to_clio(function: Function) -> list[ast.Call]:
    return [
        node
        for node in ast.walk(function)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and ast.unparse(node.func.value) in CLIENTS
    ]


def _has_both_sides(function: Function, call: ast.Call) -> bool:
    lines = [
        node.lineno
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "crashpoint"
    ]
    end = call.end_lineno or call.lineno
    return any(line < call.lineno for line in lines) and any(line > end for line in lines)
