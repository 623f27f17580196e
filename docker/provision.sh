#!/usr/bin/env bash
# Turn a bare Debian root (13 or newer) into the environment of ionstack.
#
#     provision.sh PYPROJECT          run as root inside the root
#
# Installs Debian's numerical stack, then the dependencies declared in PYPROJECT
# into a virtual environment that sees it, checks both, and only then writes
# $PREFIX/complete. May be interrupted and repeated.
#
# FIRST_STEP, STEPS  numbers for the progress lines, when this is part of more
# PROGRESS           a file to which these lines are appended as well
set -euo pipefail

PREFIX=/usr/lib/ionstack
SOURCE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
FIRST_STEP=${FIRST_STEP:-1}
STEPS=${STEPS:-3}

# Reference BLAS makes sparse factorisation several times slower than OpenBLAS,
# and off-screen pictures need EGL with a software renderer.
DEBIAN_PACKAGES=(
    ca-certificates
    git
    libegl1
    libgl1-mesa-dri
    libopenblas0-pthread
    openmpi-bin
    python3-dolfinx-real
    python3-gmsh
    python3-h5py
    python3-mpi4py
    python3-petsc4py-real
    python3-pip
    python3-venv
)

step() {
    printf '[%d/%d] %s\n' "$((FIRST_STEP + $1))" "$STEPS" "$2" | tee -a "${PROGRESS:-/dev/null}"
}

apt() {
    local options=(
        -o Acquire::Check-Valid-Until=false
        -o Acquire::Retries=3
        -o APT::Install-Recommends=false
        -o DPkg::Options::=--force-confnew
        -o DPkg::Options::=--force-unsafe-io # a root counts only once it is complete
    )
    if [[ -r ${SSL_CERT_FILE:-} ]]; then
        options+=(-o "Acquire::https::CAInfo=$SSL_CERT_FILE")
    fi
    DEBIAN_FRONTEND=noninteractive apt-get -y "${options[@]}" "$@"
}

install_debian_packages() {
    step 0 "Debian packages (DOLFINx, PETSc, Open MPI, Gmsh)"
    dpkg --configure -a
    apt update
    apt install "${DEBIAN_PACKAGES[@]}"
    apt clean
    rm -rf /var/lib/apt/lists/*
}

# As many ranks as asked for, and several runs at a time not tied to the same cores.
configure_mpirun() {
    local file map=rmaps_default_mapping_policy bind=hwloc_default_binding_policy
    if prte_info --all 2>/dev/null | grep -q '"mapby"'; then
        map=mapby bind=bindto
    fi
    for file in /etc/openmpi/prte-mca-params.conf /etc/prrte/prte-mca-params.conf; do
        [[ ! -f $file ]] || printf '%s\n' "$map = :oversubscribe" "$bind = none" >"$file"
    done
}

install_python_packages() {
    step 1 "Python packages from pyproject.toml"
    python3 -m venv --clear --system-site-packages "$PREFIX"
    "$PREFIX/bin/python" -m pip install --requirement \
        <(python3 "$SOURCE/requirements.py" list "$1" test)
}

check() {
    step 2 "checks"
    "$PREFIX/bin/python" "$SOURCE/requirements.py" missing "$1"
    "$PREFIX/bin/python" -c '
import dolfinx, gmsh, h5py, jax, petsc4py.PETSc, pyvista
from mpi4py import MPI
if "openblas" not in open("/proc/self/maps").read():
    raise SystemExit("the BLAS in use is not OpenBLAS")
print("DOLFINx", dolfinx.__version__, "with", MPI.Get_library_version())
'
}

main() {
    if (($# != 1)) || [[ ! -r $1 ]]; then
        echo "usage: provision.sh PYPROJECT" >&2
        exit 2
    fi
    rm -f "$PREFIX/complete"
    install_debian_packages
    configure_mpirun
    install_python_packages "$1"
    check "$1"
    "$PREFIX/bin/python" -c 'import dolfinx; print(dolfinx.__version__)' >"$PREFIX/complete"
}

main "$@"
