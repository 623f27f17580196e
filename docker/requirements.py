"""Read the dependencies of `pyproject.toml` without installing anything.

    requirements.py list PYPROJECT [EXTRA]   one requirement per line
    requirements.py missing PYPROJECT        unmet ones on one line; exit status 1 if any

Standard library only, quick enough to run at every start, and silent when this
Python has no DOLFINx at all.
"""

import importlib.util
import re
import sys


def numbers(version):
    """Return the leading integers of a version string, `"0.9.0.post1"` -> `(0, 9, 0)`."""
    return tuple(int(part) for part in re.match(r"[\d.]*", version).group().split(".") if part)


def declared(path, extra=None):
    """Return the requirement strings of `path`, with those of `extra` appended."""
    import tomllib

    with open(path, "rb") as file:
        project = tomllib.load(file)["project"]
    return project["dependencies"] + (project["optional-dependencies"][extra] if extra else [])


def met(requirement):
    """Return whether an installed distribution satisfies `name>=version`."""
    from importlib.metadata import PackageNotFoundError, version

    name, _, bound = requirement.partition(">=")
    try:
        return numbers(version(name)) >= numbers(bound)
    except PackageNotFoundError:
        # Some conda packages install the module without its metadata.
        return name != "fenics-dolfinx" and importlib.util.find_spec(name) is not None


def missing(path):
    """Print the unmet requirements and return the exit status."""
    if importlib.util.find_spec("dolfinx") is None:
        return 1
    if sys.version_info < (3, 11):
        print("python>=3.11")
        return 1
    unmet = [requirement for requirement in declared(path) if not met(requirement)]
    if unmet:
        print(" ".join(unmet))
    return 1 if unmet else 0


def main(action, path, *extra):
    """Dispatch on the first command-line word."""
    if action == "missing":
        return missing(path)
    print("\n".join(declared(path, *extra)))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
