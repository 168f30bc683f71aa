"""The house stays in order: a file imports only files above it, and help needs no torch."""

import ast
import re
import subprocess
import sys
import tomllib

from conftest import ROOT

from musicbench import __version__


def reading_order():
    """Return the modules in the order of CONTRIBUTING's list of files; a package comes before its files."""
    listed = (ROOT / "CONTRIBUTING.md").read_text().split("## The code, in reading order")[1].split("```")[1]
    modules, packages = [], []
    for indent, name, is_folder in re.findall(r"^( *)(\w+)(?:\.py|(/)) ", listed, re.MULTILINE):
        del packages[len(indent) // 2 :]
        modules.append(".".join([*packages, name]))
        if is_folder:
            packages.append(name)
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
    return [*ROOT.glob("musicbench/**/*.py"), *ROOT.glob("mustango/**/*.py"), *ROOT.glob("app.py")]


def test_every_file_has_its_place_and_every_line_its_file():
    listed = {name for name in ORDER if not (ROOT / name.replace(".", "/")).is_dir()}
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
import tomllib
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
    modules = ", ".join(name for name in ORDER if name.startswith("musicbench") and "paraphrases" not in name)
    done = run(f"import sys, {modules}; assert 'torch' not in sys.modules")
    assert done.returncode == 0, done.stderr


def test_one_version_everywhere():
    """The package's version is that of pyproject, citation and changelog; the hook's ruff is that of requirements-dev."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert version == __version__
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text()
    assert re.search(r"^## \[([\d.]+)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)[1] == version
    ruff = re.search(r"^ruff==(.+)$", (ROOT / "requirements-dev.txt").read_text(), re.MULTILINE)[1]
    assert f"rev: v{ruff}\n" in (ROOT / ".pre-commit-config.yaml").read_text()


def test_the_packages_that_a_wheel_holds_are_all_of_them():
    listed = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    assert listed - {"mustango.checkpoints"} == {module_name(path) for path in files() if path.name == "__init__.py"}
    alone = tomllib.loads((ROOT / "musicbench" / "pyproject.toml").read_text())
    assert set(alone["tool"]["setuptools"]["packages"]) == {name for name in listed if name.startswith("musicbench")}
    assert not [name for name in alone["project"]["dependencies"] if name.startswith(("torch", "diffusers", "transformers"))]
