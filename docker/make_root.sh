# Making a root: sourced by ../ionstack on first use only.
# Uses its REPO, HOME_DIR, SUITE, NAME, ROOT, BASE, PARTIAL, LOG, ALTERNATIVE and functions.
# shellcheck shell=bash disable=SC2153,SC2154

# ---------------------------------------------------------------- tools of the host

missing_tools() {
    local tool
    for tool in mmdebstrap bwrap unshare setpriv flock; do
        command -v "$tool" >/dev/null || echo "$tool"
    done
    ((EUID == 0)) || command -v newuidmap >/dev/null || echo newuidmap
}

install_tools() {
    local packages=(mmdebstrap bubblewrap debian-archive-keyring util-linux uidmap)
    local missing
    missing=$(missing_tools | paste -sd' ')
    [[ $missing ]] || return 0
    command -v apt-get >/dev/null ||
        die "set-up needs $missing, which this system must provide; install them, $ALTERNATIVE"
    ((EUID == 0)) ||
        die "set-up needs $missing; ask for: apt-get install ${packages[*]}; $ALTERNATIVE"
    step "[1/5] tools of this machine (${packages[*]})"
    supervise env DEBIAN_FRONTEND=noninteractive bash -c \
        'apt-get update && apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=300 "$@"' \
        - "${packages[@]}"
}

check_namespaces() {
    if ((EUID != 0)); then
        unshare --help | grep -q -- --map-auto ||
            die "set-up as an ordinary user needs util-linux >= 2.38 (this machine: $(unshare --version)); $ALTERNATIVE"
        grep -qE "^($(id -un)|$EUID):" /etc/subuid 2>/dev/null ||
            die "set-up as an ordinary user needs subordinate ids; ask for: usermod --add-subuids 200000-265535 --add-subgids 200000-265535 $(id -un)"
    fi
    (contained bwrap --bind / / true) >>"$LOG" 2>&1 ||
        die "this machine does not let $(id -un) make namespaces; allow it, $ALTERNATIVE"
}

check_space() {
    local free
    free=$(df -Pk "$HOME_DIR" | awk 'NR == 2 { print int($4 / 1000000) }')
    ((free >= NEEDED_GB)) ||
        die "set-up needs $NEEDED_GB GB in $HOME_DIR, which has $free GB; free some or set IONSTACK_HOME"
}

# ---------------------------------------------------------------- what the host says about the network

# The archive that this machine itself takes Debian from; nothing on other systems.
debian_mirror() {
    local etc=$1 codename=$2
    { cat "$etc/sources.list" "$etc/sources.list.d/debian.sources" \
        "$etc"/sources.list.d/*.list "$etc"/sources.list.d/*.sources 2>/dev/null || true; } |
        awk -v suite="$codename" '
            function has(text, word) { return (" " text " ") ~ (" " word " ") }
            $1 == "deb" { sub(/\[[^]]*\] */, "") }
            $1 == "deb" && $2 ~ /^https?:/ && $3 == suite && has($0, "main") { print $2 }
            $1 == "URIs:" { uri = $2 }
            $1 == "Suites:" { good = has($0, suite) }
            $1 == "Components:" && good && uri ~ /^https?:/ && has($0, "main") { print uri }
        ' | sed -n 1p
}

os_release() { sed -n "s/^$1=//p" /etc/os-release 2>/dev/null | tr -d '"'; }

host_mirror() {
    local id codename
    id=$(os_release ID)
    codename=$(os_release VERSION_CODENAME)
    if [[ ${IONSTACK_MIRROR:-} ]]; then
        echo "$IONSTACK_MIRROR"
    elif [[ $id == debian ]]; then
        debian_mirror /etc/apt "$codename"
    fi
}

apt_proxy_settings() {
    { apt-config dump 2>/dev/null || true; } |
        { grep -iE '^Acquire::(https?::)(.*::)?(Proxy|Proxy-Auto-Detect|ProxyAutoDetect) ' || true; }
}

# Package folders that pip's configuration names and that are not bound anyway. An
# index links to files beside itself, so the folder that holds it comes along.
pip_folders() {
    { cat /etc/pip.conf ~/.config/pip/pip.conf ~/.pip/pip.conf "${PIP_CONFIG_FILE:-/dev/null}" 2>/dev/null || true
        env | grep ^PIP_ || true; } |
        sed -E 's#https?://[^[:space:]]*##g; s#file://##g' |
        { grep -oE '/(opt|var/[^/[:space:],]+|usr/(local|share))/[^/[:space:],]+' || true; } | sort -u
}

# ---------------------------------------------------------------- making a root

step() { printf '%s\n' "$*" >>"$PROGRESS"; }

# As root of new namespaces that end with this script, however it ends.
contained() {
    local map=()
    ((EUID == 0)) || map=(--map-root-user --map-auto)
    exec setpriv --pdeathsig KILL \
        unshare "${map[@]}" --mount --pid --fork --kill-child=KILL --mount-proc -- "$@"
}

# Run in the background, so that a signal is answered at once, and show progress.
supervise() {
    "$@" >>"$LOG" 2>&1 </dev/null &
    CHILD=$!
    while kill -0 "$CHILD" 2>/dev/null; do
        show_progress
        sleep "$POLL" 9>&- &
        wait $! || true
    done
    wait "$CHILD" || fail
    CHILD=
}

show_progress() {
    local now
    now=$(tail -n 1 "$PROGRESS")
    if [[ $now != "$SHOWN" ]]; then
        [[ ! $SHOWN || ! -t 2 ]] || printf '\n' >&2
        [[ -t 2 ]] || printf '%s\n' "$now" >&2
        SHOWN=$now SINCE=$SECONDS
    fi
    if [[ -t 2 ]]; then
        printf '\r%s … %d s\e[K' "$now" $((SECONDS - SINCE)) >&2
    elif (((SECONDS - SINCE) % 30 == 29)); then
        printf '      … %d s\n' $((SECONDS - SINCE + 1)) >&2
    fi
}

fail() {
    [[ ! -t 2 ]] || printf '\n' >&2
    tail -n 5 "$LOG" | sed 's/^/    /' >&2
    remove_tree "$PARTIAL"
    die "set-up failed at $(tail -n 1 "$PROGRESS"); the whole log is $LOG"
}

abandon() {
    trap '' INT TERM HUP
    [[ ! $CHILD ]] || kill -KILL "$CHILD" 2>/dev/null || true
    [[ ! $CHILD ]] || wait "$CHILD" 2>/dev/null || true
    [[ ! -t 2 ]] || printf '\n' >&2
    remove_tree "$PARTIAL"
    note "set-up interrupted; nothing is left, the next start begins it again"
    exit $((128 + $1))
}

# Some files in a root belong to the subordinate ids of an ordinary user.
remove_tree() {
    [[ -e $1 ]] || return 0
    (contained rm -rf --one-file-system "$1") >>"$LOG" 2>&1 ||
        (sleep 2; contained rm -rf --one-file-system "$1") >>"$LOG" 2>&1 || note "cannot remove $1; delete it by hand"
}

make_base() {
    local options=(--mode=root --variant=minbase) setting mirror
    while read -r setting; do
        options+=("--aptopt=$setting")
    done < <(apt_proxy_settings)
    mirror=$(host_mirror)
    step "[2/5] base system (Debian $SUITE)"
    mkdir "$PARTIAL"
    supervise contained mmdebstrap "${options[@]}" \
        '--aptopt=Acquire::Check-Valid-Until "false"' "$SUITE" "$PARTIAL" ${mirror:+"$mirror"}
}

provision() {
    local folder
    collect_mounts "$PARTIAL" --bind
    while read -r folder; do
        [[ -d $folder ]] && mount_folder "$PARTIAL" "$folder"
    done < <(pip_folders)
    supervise provision_contained "$@"
}

# Runs a script of this folder, with its arguments, as root of the root that is made.
provision_contained() {
    local bwrap
    bwrap=$(command -v bwrap)
    clean_environment
    # Open MPI names its folder in TMPDIR after the user id, here 0 for everyone.
    export FIRST_STEP=3 STEPS=5 PROGRESS TMPDIR=/var/tmp
    PATH=$PATH:$(dirname "$bwrap") contained "$bwrap" "${MOUNTS[@]}" --chdir / \
        "$REPO/docker/$1" "${@:2}"
}

# To the owner of the set-up belongs all of it, so that a plain rm can delete it.
settle() {
    [[ -f $PARTIAL$PREFIX/complete ]] || fail
    ((EUID == 0)) || (contained chown -R -h 0:0 "$PARTIAL") >>"$LOG" 2>&1 || fail
    sync -f "$PARTIAL"
    mv -T "$PARTIAL" "$ROOT"
}

# $1 says what is made.
begin_set_up() {
    local partial
    set -E
    trap 'note "set-up stopped unexpectedly at $BASH_COMMAND; the log is $LOG"' ERR
    PROGRESS=$HOME_DIR/logs/$NAME.progress SHOWN='' SINCE=$SECONDS CHILD=''
    : >"$LOG"
    : >"$PROGRESS"
    check_space
    trap 'abandon 2' INT
    trap 'abandon 15' TERM
    trap 'abandon 1' HUP
    note "$1"
    install_tools
    check_namespaces
    for partial in "$HOME_DIR"/roots/*.partial "$ROOT"; do remove_tree "$partial"; done
}

end_set_up() {
    settle
    trap - INT TERM HUP ERR
    rm -f "$PROGRESS"
    [[ ! -t 2 ]] || printf '\n' >&2
    note "environment ready after $SECONDS s"
}

make_root() {
    begin_set_up "making the environment in $ROOT (once, 2 to 5 minutes, about 4 GB)"
    make_base
    provision provision.sh "$REPO/pyproject.toml"
    end_set_up
}

# A copy: an environment that is there is never changed.
make_viewers() {
    begin_set_up "adding ParaView and Chromium to a copy of the environment in $ROOT (once, 2 to 4 minutes, 6 GB)"
    step "[1/2] copy of the environment"
    supervise contained cp -a --reflink=auto "$BASE" "$PARTIAL"
    provision viewers.sh
    end_set_up
}
