"""The rules of the house that no linter knows: sizes, names, doors between rooms, what is never written down."""

from __future__ import annotations

import ast
import importlib
import os
import re
import statistics
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from source_trees import PACKAGE, ROOMS, ROOT, called, calls, trees

_SOURCES = [PACKAGE, ROOT / "tests", ROOT / "bench", ROOT / "demo", ROOT / "scripts"]
_VAGUE = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
_HEAVY = ("openvino", "ncnn", "onnx", "onnxruntime", "torch", "httpx")
_TEXT = {".py", ".md", ".toml", ".txt", ".po", ".yml", ".yaml", ".json", ".cfg", ".sh", ""}


def tracked() -> list[Path]:
    """The text files that git would show to others."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    return [p for p in paths if p.is_file() and p.suffix in _TEXT]


# ---- sizes and names ----


@pytest.mark.parametrize("folder", _SOURCES, ids=lambda p: p.name)
def test_no_file_is_longer_than_400_lines(folder: Path) -> None:
    long = {n: len((ROOT / n).read_text("utf-8").splitlines()) for n in trees(folder)}
    assert {n: lines for n, lines in long.items() if lines > 400} == {}


def test_functions_are_short() -> None:
    lengths = {
        f"{name}:{node.name}": (node.end_lineno or node.lineno)
        - node.body[0].lineno
        + 1  # a command's options are data
        for name, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
    }
    assert statistics.median(lengths.values()) <= 15
    assert {n: lines for n, lines in lengths.items() if lines > 60} == {}


def test_modules_have_names_that_say_something() -> None:
    assert [n for folder in _SOURCES for n in trees(folder) if set(Path(n).with_suffix("").parts) & _VAGUE] == []


def test_no_two_test_files_share_a_name() -> None:
    """pytest imports them by name alone: a second one of a name ends a whole run before its first test."""
    names = Counter(path.name for path in (ROOT / "tests").rglob("test_*.py"))
    assert [name for name, files in names.items() if files > 1] == []


def test_every_module_says_what_it_is_for() -> None:
    spoken_for = [folder for folder in _SOURCES if folder.name != "tests"]  # a test's name and its tests say it
    assert [n for folder in spoken_for for n, tree in trees(folder).items() if not ast.get_docstring(tree)] == []


def test_nothing_is_left_to_do() -> None:
    mark = re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX|TB" r"D)\b")
    assert [n for folder in _SOURCES for n in trees(folder) if mark.search((ROOT / n).read_text("utf-8"))] == []


# ---- doors ----


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_offers_what_it_says(room: str) -> None:
    module = importlib.import_module(f"enlarger.{room}")
    assert len(set(module.__all__)) == len(module.__all__)
    assert [name for name in module.__all__ if not hasattr(module, name)] == []
    taken_in = _re_exported(room)
    assert taken_in - set(module.__all__) == set()


def _re_exported(room: str) -> set[str]:
    tree = trees()[f"src/enlarger/{room}/__init__.py"]
    own = [n for n in tree.body if isinstance(n, ast.ImportFrom) and (n.module or "").startswith(f"enlarger.{room}.")]
    return {alias.asname or alias.name for node in own for alias in node.names}


def test_rooms_are_entered_through_their_doors() -> None:
    """Another room's module is its own business: only `enlarger.<room>` is imported from outside."""
    assert [f"{name}: {inner}" for name, tree in trees().items() for inner in _inner_imports(name, tree)] == []


def _inner_imports(name: str, tree: ast.Module) -> list[str]:
    here = name.split("/")[2]
    found = []
    for node in ast.walk(tree):
        modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        modules += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        parts = [module.split(".") for module in modules]
        found += [".".join(p) for p in parts if len(p) > 2 and p[0] == "enlarger" and p[1] in ROOMS and p[1] != here]
    return found


# ---- processes and imports ----


def test_processes_are_spawned_never_forked() -> None:
    wrong = []
    for name, tree in trees().items():
        for call in calls(tree):
            text = ast.unparse(call)
            if text.startswith(("os.fork", "pty.fork", "multiprocessing.Process(", "multiprocessing.Pool(")):
                wrong.append(f"{name}:{call.lineno}")
            if called(call) in ("get_context", "set_start_method") and "spawn" not in text:
                wrong.append(f"{name}:{call.lineno}")
            if called(call) == "ProcessPoolExecutor" and "mp_context" not in {k.arg for k in call.keywords}:
                wrong.append(f"{name}:{call.lineno}")
    assert wrong == []


@pytest.mark.parametrize("module", ["enlarger", "enlarger.cli", *(f"enlarger.{room}" for room in ROOMS)])
def test_importing_loads_nothing_heavy(module: str) -> None:
    code = f"import sys, {module}; print(*sorted(set(sys.modules) & {set(_HEAVY)!r}))"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


def test_python_dash_m_runs_the_command() -> None:
    done = subprocess.run([sys.executable, "-m", "enlarger", "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "upscale" in done.stdout


# ---- what is never written down ----


def test_no_file_names_a_machine_or_a_package_registry() -> None:
    hosts = [r"py" r"pi\.org", r"pythonhosted\.org", r"npm" r"js\.org", r"deb\." r"debian\.org", *_index_hosts()]
    nobody = r"(?!you\b|suwayomi\b|\.)"  # suwayomi: the user of its image
    machine = [re.escape(str(ROOT) + os.sep), rf"/(?:home|Users|root)/{nobody}\w+"]
    forbidden = re.compile("|".join([*hosts, *machine]))
    here = Path(__file__)
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in tracked()
        if path != here and (match := forbidden.search(path.read_text("utf-8", errors="replace")))
    ]
    assert found == []


def _index_hosts() -> list[str]:
    """The hosts that pip asks on this machine, whatever they are."""
    shown = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False)
    return [re.escape(host) for host in re.findall(r"https?://([^/\s'\"@]+)", shown.stdout) if "." in host]


# ---- what is written down is true ----


def test_links_in_documents_lead_somewhere() -> None:
    broken = [
        f"{path.relative_to(ROOT)}: {link}"
        for path in tracked()
        if path.suffix == ".md"
        for link in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text("utf-8"))
        if not re.match(r"\w+:", link) and not (path.parent / link).exists()
    ]
    assert broken == []


def test_the_changelog_tells_of_this_version() -> None:
    from enlarger import __version__

    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M)
    assert headings[0] == "Unreleased"
    assert __version__ in headings


def test_every_dependency_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [*project["dependencies"], *(d for extra in project["optional-dependencies"].values() for d in extra)]
    pinned = {_bare(line) for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines() if "==" in line}
    assert {_bare(name) for name in wanted} - pinned == set()


def _bare(requirement: str) -> str:
    return re.split(r"[=<>~!\[; ]", requirement, maxsplit=1)[0].lower().replace("_", "-")
