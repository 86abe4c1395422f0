"""Every formula and kernel has a plain-Python twin of the same name and arguments."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROLES = {"scalar", "kernel"}  # a row is a part of a kernel: the kernel's twin covers it


def compiled_functions():
    """(room, function name, argument names) of everything that numba compiles."""
    for path in sorted((ROOT / "simulator").rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and {ast.unparse(d) for d in node.decorator_list} & ROLES:
                room = path.parent.name if path.parent.name != "simulator" else path.stem
                yield room, node.name, [a.arg for a in node.args.args]


FUNCTIONS = list(compiled_functions())


def twins_of(room):
    """{function: argument names} of a room's twins, and their text: policy.py and all that begins with policy_."""
    folder = ROOT / "tests" / "twins"
    text = "\n".join(
        path.read_text(encoding="utf-8")
        for path in sorted(folder.glob("*.py"))
        if path.stem == room or path.stem.startswith(f"{room}_")
    )
    tree = ast.parse(text)
    return {n.name: [a.arg for a in n.args.args] for n in tree.body if isinstance(n, ast.FunctionDef)}, text


@pytest.mark.parametrize(("room", "name", "arguments"), FUNCTIONS, ids=lambda v: v if isinstance(v, str) else "")
def test_has_a_twin(room, name, arguments):
    twins, text = twins_of(room)
    assert name in twins, f"tests/twins/{room}.py, or a {room}_….py beside it, has no twin of {name}"
    assert twins[name] == arguments
    assert "import simulator" not in text, "a twin is written from the formula, not from the code it checks"
    assert "from simulator" not in text


def test_everything_is_found():
    assert len(FUNCTIONS) > 40
    assert {"streams", "factors", "defaults", "delays", "fx", "losses", "policy", "treasury"} <= {
        f[0] for f in FUNCTIONS
    }
