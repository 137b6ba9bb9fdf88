"""Make a bare Debian, and run in it what the README tells a newcomer to run.

Run ``python -m tools.bare`` as root, with Debian's debootstrap installed. Each case starts from the same bare system:
Python, its venv, make and git, and nothing else. What the tests are to be given can stand in PYTEST_ADDOPTS, as always.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BARE = ("ca-certificates", "git", "make", "python3", "python3-venv")
CASES = ("user", "root", "user-with-node", "root-with-node")
COMMANDS = ("run", "install", "test")
CHROOT = shutil.which("chroot") or "/usr/sbin/chroot"
# What a machine behind a proxy or with certificates of its own sets; nothing else of this environment goes in.
_PASSED = ("http_proxy", "https_proxy", "no_proxy", "NODE_EXTRA_CA_CERTS", "PYTEST_ADDOPTS")


def main() -> int:
    """Return 0 if every command of every case succeeded."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--suite", default="trixie", help="release of Debian")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "bare", help="where the systems are made")
    parser.add_argument("--case", dest="cases", action="append", choices=CASES, help="default: all of them")
    parser.add_argument("--command", dest="commands", action="append", choices=COMMANDS, help="default: all of them")
    asked = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("Only root can make a bare system: sudo python -m tools.bare")
    if shutil.which("debootstrap") is None:
        sys.exit("debootstrap is missing. Install it: apt-get install debootstrap")
    asked.folder.mkdir(parents=True, exist_ok=True)
    base = _base(asked.folder, asked.suite)
    results = [
        _run(system, asked.suite, case, command)
        for case in asked.cases or CASES
        for system in _systems(base, case)
        for command in asked.commands or COMMANDS
    ]
    return 0 if all(results) else 1


def _base(folder: Path, suite: str) -> Path:
    base = folder / suite
    if not base.exists():
        part = folder / f"{suite}.part"
        shutil.rmtree(part, ignore_errors=True)
        wanted = ["debootstrap", "--variant=minbase", f"--include={','.join(BARE)}", suite, str(part)]
        subprocess.run(wanted, check=True, stdout=subprocess.DEVNULL)
        part.rename(base)
    return base


def _systems(base: Path, case: str) -> Iterator[Path]:
    """Yield one copy of the bare system with a clone of this checkout, and remove it afterwards."""
    system = base.with_name(f"{base.name}-{case}")
    _remove(system)
    subprocess.run(["cp", "-a", base, system], check=True)
    for name in ("etc/resolv.conf", "etc/ssl/certs/ca-certificates.crt"):
        shutil.copy(Path("/") / name, system / name)
    with _mounted(system):
        if "node" in case:
            _enter(system, ["apt-get", "install", "-qq", "--no-install-recommends", "nodejs", "npm"], quiet=True)
        _enter(system, ["useradd", "--create-home", "--shell", "/bin/bash", "user"])
        home = system / _home(case).lstrip("/")
        subprocess.run(["git", "clone", "--quiet", ROOT, home / "sitematch"], check=True)
        if "user" in case:
            _enter(system, ["chown", "-R", "user:", _home(case)])
        yield system
    _remove(system)


def _remove(system: Path) -> None:
    """Remove a system; never through a mount, which a run that was killed leaves behind: /dev is this machine's."""
    for name in ("dev", "proc"):
        if (system / name).is_mount():
            sys.exit(f"{system / name} is still mounted. Run: umount --lazy {system / name}")
    if system.exists():
        shutil.rmtree(system)


def _home(case: str) -> str:
    return "/root" if case.startswith("root") else "/home/user"


@contextmanager
def _mounted(system: Path) -> Iterator[None]:
    subprocess.run(["mount", "-t", "proc", "proc", system / "proc"], check=True)
    subprocess.run(["mount", "--rbind", "--make-rslave", "/dev", system / "dev"], check=True)
    try:
        yield
    finally:
        for name in ("dev", "proc"):
            subprocess.run(["umount", "--lazy", system / name], check=True)


def _enter(system: Path, command: list[str], *, quiet: bool = False) -> None:
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive"}
    out = subprocess.DEVNULL if quiet else None
    subprocess.run([CHROOT, system, *command], env=environment, check=True, stdout=out, stderr=out)


def _run(system: Path, suite: str, case: str, command: str) -> bool:
    """Run one command in the system, print one line about it, and its output if it failed."""
    shutil.copy(Path(__file__).parent / "inside.sh", system / "inside.sh")
    home, user = _home(case), case.partition("-")[0]
    environment = {"HOME": home, "USER": user, "LANG": "C.UTF-8", "PATH": "/usr/bin:/bin"}
    environment |= {name: os.environ[name] for name in _PASSED if name in os.environ}
    started_s = time.monotonic()
    done = subprocess.run(
        [CHROOT, f"--userspec={user}", system, "/bin/bash", "/inside.sh", command],
        env=environment, capture_output=True, text=True, check=False, start_new_session=True,
    )  # fmt: skip
    minutes = (time.monotonic() - started_s) / 60
    most_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    verdict = "done" if done.returncode == 0 else f"FAILED ({done.returncode})"
    print(
        f"{suite} {case}: {command} {verdict}, {minutes:.1f} min, largest process so far {most_mb:.0f} MB", flush=True
    )
    # Of what succeeded, the last lines of the tests' verdict and the megabytes.
    said = done.stdout.splitlines()[-3:] if done.returncode == 0 else (done.stdout + done.stderr).splitlines()
    for line in said:
        print(f"  {line}", flush=True)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
