"""What is shipped is what is in the tree, and it works where nobody planned for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

from amends.engine.version import VERSION

#: Loaded only by the rooms that need them: each alone costs more than `import amends` may.
HEAVY = {
    "alembic",
    "cryptography",
    "holidays",
    "jsonschema",
    "numpy",
    "re2",
    "rich",
    "sqlalchemy",
    "transitions",
    "yaml",
}


def run(*command: str | Path, cwd: Path) -> str:
    """Run a command where nothing of the project is on the path, and return what it printed."""
    clean = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("PYTHON", "PIP_", "VIRTUAL_ENV"))
    }
    done = subprocess.run(command, cwd=cwd, env=clean, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(root: Path, project_files: tuple[Path, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel as a release does: files of the project → sdist → wheel; offline, with setuptools alone."""
    folder = tmp_path_factory.mktemp("build")
    for path in project_files:
        copy = folder / "tree" / path.relative_to(root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    build = "import sys, setuptools.build_meta as backend; getattr(backend, sys.argv[1])(sys.argv[2])"
    run(sys.executable, "-c", build, "build_sdist", folder, cwd=folder / "tree")
    (sdist,) = folder.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder / "sdist", filter="data")
    (unpacked,) = (folder / "sdist").iterdir()
    run(sys.executable, "-c", build, "build_wheel", folder, cwd=unpacked)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def shipped(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def fresh(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a new environment that holds the wheel; what amends stands on comes from the environment of the tests."""
    folder = tmp_path_factory.mktemp("fresh") / "venv"
    venv.create(folder, with_pip=False, symlinks=os.name != "nt")
    places = {"base": str(folder), "platbase": str(folder), "installed_base": str(folder)}
    scripts = Path(sysconfig.get_path("scripts", "venv", places))
    python = scripts / "python"
    pip = [sys.executable, "-m", "pip", "--isolated", "--disable-pip-version-check", "--python", str(python)]
    run(*pip, "install", "--quiet", "--no-index", "--no-deps", wheel, cwd=folder)
    # The added folder comes after the environment's own, so its amends is never seen; the tests below assert it.
    packages = Path(sysconfig.get_path("purelib", "venv", places))
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return scripts


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """Make a host's folder, with the names that would shadow ours if we were installed under them."""
    for name in ("engine.py", "cli.py"):
        (tmp_path / name).write_text("raise ImportError('this one is of the host')\n", encoding="utf-8")
    for name in ("schemas", "policies"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("", encoding="utf-8")
    return tmp_path


def test_the_list_of_packages_is_that_of_the_folders(root: Path) -> None:
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    folders = {path.parent.relative_to(root).parts for path in (root / "engine").rglob("__init__.py")}
    assert settings["packages"] == sorted(".".join(["amends", *parts]) for parts in {(), *folders})
    assert (root / "__init__.py").is_file()


def test_the_version_is_the_same_wherever_it_stands(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == VERSION == version("amends")


def test_every_folder_of_modules_is_a_package(root: Path) -> None:
    # Migrations are data: Alembic runs them, and nobody imports them.
    folders = {path.parent for path in (root / "engine").rglob("*.py") if "migrations" not in path.parts}
    assert [folder for folder in sorted(folders) if not (folder / "__init__.py").is_file()] == []


def test_the_wheel_installs_one_name(shipped: set[str]) -> None:
    tops = {name.partition("/")[0] for name in shipped}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"amends"}


def test_the_wheel_holds_the_package_its_policies_and_schemas_and_nothing_else(
    root: Path, shipped: set[str]
) -> None:
    wanted = {
        *root.glob("*.py"),
        *root.glob("engine/**/*.py"),
        *root.glob("docs/diagnostics/*.md"),
        *root.glob("policies/**/*.yaml"),
        *root.glob("schemas/*.json"),
    }
    names = {f"amends/{path.relative_to(root).as_posix()}" for path in wanted}
    names.add("amends/py.typed")
    assert {name for name in shipped if name.startswith("amends/")} == names
    assert any(name.endswith(".yaml") for name in names)
    assert any(name.endswith(".json") for name in names)


def test_the_wheel_brings_its_licence(shipped: set[str]) -> None:
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in shipped)


def test_the_installed_command_says_its_version(fresh: Path, elsewhere: Path) -> None:
    assert VERSION in run(fresh / "amends", "--version", cwd=elsewhere)
    assert VERSION in run(fresh / "python", "-m", "amends", "--version", cwd=elsewhere)


def test_the_installed_command_checks_a_policy_elsewhere(root: Path, fresh: Path, elsewhere: Path) -> None:
    shutil.copytree(root / "policies" / "tiktok_shop", elsewhere / "mine")
    run(fresh / "amends", "check", "mine", cwd=elsewhere)


def test_the_installed_command_explains_a_code_elsewhere(fresh: Path, elsewhere: Path) -> None:
    page = run(fresh / "amends", "check", "--explain", "AM104", cwd=elsewhere)
    assert page.startswith("# AM104")


def test_the_installed_package_is_the_wheels_own(fresh: Path, elsewhere: Path) -> None:
    where = run(fresh / "python", "-c", "import amends; print(amends.__file__)", cwd=elsewhere)
    assert Path(where.strip()).is_relative_to(fresh.parent)


def test_the_installed_package_finds_its_data(fresh: Path, elsewhere: Path) -> None:
    script = """if True:
        from importlib.resources import files
        assert (files("amends") / "schemas" / "policy.schema.json").is_file()
        assert (files("amends") / "policies" / "tiktok_shop").is_dir()
    """
    run(fresh / "python", "-c", script, cwd=elsewhere)


def test_every_name_that_is_offered_is_there(fresh: Path, elsewhere: Path) -> None:
    script = "import amends; assert amends.__all__; [getattr(amends, name) for name in amends.__all__]"
    run(fresh / "python", "-c", script, cwd=elsewhere)


@pytest.mark.parametrize("module", ["amends", "amends.cli"])
def test_importing_it_loads_nothing_heavy(module: str, fresh: Path, elsewhere: Path) -> None:
    script = f"import sys, {module}; print(*sys.modules)"
    loaded = {name.partition(".")[0] for name in run(fresh / "python", "-c", script, cwd=elsewhere).split()}
    assert loaded & HEAVY == set()
