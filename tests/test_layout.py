"""The house stays in order: a file imports only files above it, and help needs no torch."""

import ast
import re
import subprocess
import sys

from conftest import ROOT


def reading_order():
    """Return the modules in the order of the README's list of files; a package comes before its files."""
    listed = (ROOT / "README.md").read_text().split("## The code, in reading order")[1].split("```")[1]
    modules, package = [], None
    for name, is_folder in re.findall(r"^ *([\w]+)(?:\.py|(/)) ", listed, re.MULTILINE):
        if is_folder:
            package = name
            modules.append(name)
        else:
            modules.append("app" if name == "app" else f"{package}.{name}")
    return modules


ORDER = reading_order()


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(source):
    """Yield the names that a module's source imports; all of them in full, none relative."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"line {node.lineno}: write the module's whole name"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def files():
    return [*ROOT.glob("musicbench/*.py"), *ROOT.glob("mustango/*.py"), *ROOT.glob("app.py")]


def test_every_file_has_its_place_and_every_line_its_file():
    listed = {name for name in ORDER if not (ROOT / name).is_dir()}
    assert {module_name(p) for p in files() if p.name != "__init__.py"} == listed and {"musicbench", "mustango"} < set(ORDER)


def test_imports_go_up_the_list_only():
    for path in files():
        own = module_name(path)
        for name in imported(path.read_text()):
            if name in ORDER:
                assert ORDER.index(name) < ORDER.index(own), f"{own} imports {name}, which comes after it"


def test_one_file_starts_pools_of_processes():
    starts = {"concurrent.futures.ProcessPoolExecutor", "multiprocessing.Pool", "multiprocessing.Process"}
    assert {path.name for path in files() if starts & set(imported(path.read_text()))} == {"engines.py"}


def run(code):
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)


def test_help_and_musicbench_do_without_torch():
    code = """
import sys
from {package}.__main__ import main
try:
    main(["--help"])
except SystemExit as stop:
    assert stop.code == 0
heavy = [m for m in ("torch", "diffusers", "transformers", "librosa", "numpy") if m in sys.modules]
assert not heavy, heavy
"""
    for package in ("mustango", "musicbench"):
        done = run(code.format(package=package))
        assert done.returncode == 0, done.stderr


def test_musicbench_imports_no_torch():
    done = run("import sys, musicbench.dataset, musicbench.captions; assert 'torch' not in sys.modules")
    assert done.returncode == 0, done.stderr
