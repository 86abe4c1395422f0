"""The walls of the house: data flows one way, numba stands behind one door, kernels stay plain."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "simulator"
ROOMS = [
    "study", "ledger", "factors", "defaults", "delays", "fx", "losses", "policy", "treasury",
    "engine", "results", "measures", "compare", "report",
]  # fmt: skip
GROUND = {"errors", "terms", "constants", "keys", "jit", "streams"}
ROOF = {"__init__", "__main__", "cli", "api", "progress"}
PLAIN = ("kernels.py", "formulas.py", "booking.py")
MODULES = sorted(PACKAGE.rglob("*.py"))


def room_of(path):
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else path.stem


def imported_names(path):
    """Every imported module of a file, with the line it stands on (imports inside functions count too)."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            if node.module == "simulator":
                for alias in node.names:
                    yield f"simulator.{alias.name}", node.lineno
            else:
                yield str(node.module), node.lineno


def offences(path):
    """House rules that a file breaks."""
    room = room_of(path)
    for name, line in imported_names(path):
        place = f"{path.relative_to(ROOT)}:{line}"
        top = name.split(".")[0]
        if top == "numba" and path != PACKAGE / "jit.py":
            yield f"{place}: numba is imported in jit.py only"
        if path.name.endswith(PLAIN) and top in {"pandas", "xarray", "scipy", "matplotlib"}:
            yield f"{place}: {path.name} imports {top}"
        if top != "simulator" or room in ROOF:
            continue
        target = name.split(".")[1] if "." in name else "simulator"
        if target in GROUND:
            continue
        if room in GROUND or target not in ROOMS:
            yield f"{place}: {room} imports {target}"
        elif ROOMS.index(target) > ROOMS.index(room):
            yield f"{place}: room {room} imports {target}, which comes after it"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_walls(path):
    assert list(offences(path)) == []


def test_rooms_on_disk_are_the_rooms_of_the_plan():
    on_disk = {p.name for p in PACKAGE.iterdir() if p.is_dir() and (p / "__init__.py").exists()}
    assert on_disk == set(ROOMS)
    assert {p.stem for p in PACKAGE.glob("*.py")} == GROUND | ROOF


@pytest.mark.parametrize(
    "path", [p for p in MODULES if p.name.endswith(PLAIN)], ids=lambda p: str(p.relative_to(PACKAGE))
)
def test_kernels_stay_plain(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        assert not isinstance(node, ast.Raise), f"{path}:{getattr(node, 'lineno', 0)}: kernels never raise"
        if isinstance(node, ast.Attribute):
            dotted = ast.unparse(node)
            assert not dotted.startswith("np.random"), f"{path}:{node.lineno}: np.random in a kernel"
            assert dotted not in {"np.empty", "np.zeros", "np.ones", "np.full", "np.array"}, (
                f"{path}:{node.lineno}: allocation in a kernel"
            )
        if isinstance(node, ast.FunctionDef) and node in tree.body:
            marks = {ast.unparse(d) for d in node.decorator_list}
            assert marks & {"scalar", "row", "kernel"}, f"{path}:{node.lineno}: {node.name} is not compiled"
            assert ast.get_docstring(node), f"{path}:{node.lineno}: {node.name} has no docstring"


def test_no_fastmath():
    for path in MODULES:
        assert "fastmath=True" not in path.read_text(encoding="utf-8"), path


def test_modules_keep_their_size():
    """A module over 400 lines is two modules."""
    long = {
        str(p.relative_to(ROOT)): n for p in MODULES if (n := len(p.read_text(encoding="utf-8").splitlines())) > 400
    }
    assert long == {}


def test_walls_catch_planted_faults(tmp_path, monkeypatch):
    """The rules above can fail: plant one offence of each kind."""
    room = tmp_path / "simulator" / "ledger"
    room.mkdir(parents=True)
    (room / "kernels.py").write_text("import numba\nimport pandas\nfrom simulator.engine import run\n")
    module = "tests.test_architecture"
    monkeypatch.setattr(f"{module}.ROOT", tmp_path)
    monkeypatch.setattr(f"{module}.PACKAGE", tmp_path / "simulator")
    found = "\n".join(offences(room / "kernels.py"))
    assert re.search("numba is imported in jit.py only", found)
    assert re.search("kernels.py imports pandas", found)
    assert re.search("room ledger imports engine", found)


def test_architecture_page_names_every_room():
    page = (ROOT / "docs" / "ARCHITECTURE.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(\w+)/` \|", page, flags=re.MULTILINE)
    assert listed == ROOMS
    assert len(page.splitlines()) <= 80, "one page"
