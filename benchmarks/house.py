"""How the house is built: python benchmarks/house.py [--list]

Counts rooms (packages; a package's top files are one), arrows (imports from one room of another) and floors (the longest way down
along arrows), and names circles. `--list` prints the files in an order in which each imports only files above it, as CONTRIBUTING
has them.
"""

import argparse
import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROOMS = (
    "musicbench", "musicbench/music", "musicbench/prompt", "musicbench/sound", "musicbench/scores", "musicbench/synth", "musicbench/compose", "musicbench/build",
    "mustango", "mustango/model", "mustango/release", "mustango/request", "mustango/hear", "mustango/train", "mustango/evaluate",
    "mustango/page", "mustango/cli",
)  # fmt: skip
LAST = ("__main__", "pipeline")  # top files that come after the rooms


def files():
    """Return {module: path} of the packages' files."""
    paths = [*ROOT.glob("musicbench/**/*.py"), *ROOT.glob("mustango/**/*.py"), ROOT / "app.py"]
    return {module_name(path): path for path in paths}


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path, known):
    """Return the modules of ours that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if name in known else node.module for name in names]
        found |= {name for name in names if name in known}
    return found


def room_of(module):
    """Return the package that a module lies in, or is; the pipeline is a room of its own."""
    if module in ("app", "mustango.pipeline"):
        return module
    return module if (ROOT / module.replace(".", "/")).is_dir() else module.rpartition(".")[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="print the files in reading order")
    options = parser.parse_args()
    known = files()
    needs = {module: imports(path, known) - {module} for module, path in known.items()}
    if options.list:
        for module in TopologicalSorter({m: sorted(n) for m, n in sorted(needs.items())}).static_order():
            print(module, "|", (ast.get_docstring(ast.parse(known[module].read_text())) or "").split("\n")[0])
        return
    shared = {"musicbench", "mustango"}  # the conventions that every file may import
    arrows = {}
    for module, others in needs.items():
        own = room_of(module)
        arrows.setdefault(own, set()).update({room_of(other) for other in others} - {own} - shared)
    try:
        floors = {}
        for room in TopologicalSorter(arrows).static_order():
            floors[room] = 1 + max((floors[other] for other in arrows.get(room, ())), default=0)
        circles = "no circle"
    except CycleError as error:
        floors, circles = {}, f"a circle: {' -> '.join(error.args[1])}"
    print(
        f"{len(known)} files in {len(arrows)} rooms, {sum(map(len, arrows.values()))} arrows, {max(floors.values(), default=0)} floors, {circles}"
    )
    for room, below in sorted(arrows.items(), key=lambda item: floors.get(item[0], 0)):
        print(f"  {floors.get(room, '?')} {room}: {', '.join(sorted(below)) or '-'}")


if __name__ == "__main__":
    main()
