"""What tests run with Node: its packages of tests/node, installed as the lock file says."""
import fcntl
import json
import subprocess

from office import ROOT

NODE = ROOT / "tests/node"


def installed():
    """The folder with node_modules in it. Test programs run at the same time, but one installs."""
    wanted = json.loads((NODE / "package-lock.json").read_text())["packages"]
    with open(NODE / "package-lock.json") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if any(version(name) != package["version"] for name, package in wanted.items()
               if name and not package.get("optional")):
            done = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=NODE, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600)
            assert done.returncode == 0, done.stdout[-2000:]
    return NODE


def version(name):
    try:
        return json.loads((NODE / name / "package.json").read_text())["version"]
    except (OSError, ValueError, KeyError):
        return None
