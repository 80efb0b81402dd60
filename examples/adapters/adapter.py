"""The conversation with layerspec: requests in, replies out, one JSON object a line. What is done with them is the
business of a class, of which one object is made for each scenario."""

import json
import os
import subprocess
import sys

MARK = "LAYERSPEC_EXAMPLE_IN_NAMESPACE"


class Unsupported(Exception):
    """What the adapter does not know."""


class Refused(Exception):
    """An operation that the implementation refuses, and the kind of the refusal."""

    def __init__(self, kind, message):
        super().__init__(message)
        self.refusal = {"code": {"kind": kind}, "message": message}

    @classmethod
    def with_errno(cls, name):
        """The same, of a system call."""
        error = cls(None, name)
        error.refusal["code"] = {"errno": name}
        return error


def run(*words):
    """A program, which has to succeed."""
    done = subprocess.run(words, input="", capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


def variant(value):
    """An enumeration in JSON: a name alone, or a map from the name to what belongs to it."""
    return (value, None) if isinstance(value, str) else next(iter(value.items()))


def file_system(path):
    return run("stat", "--file-system", "--format=%T", path).strip()


def hello(kind):
    """Who we are. As root everything is real; in a user namespace there is only one user."""
    if MARK not in os.environ:
        return absent("no mount namespace of our own", "run as root, or allow user namespaces")
    reason = kind.lacks(os.environ[MARK] == "root")
    if reason:
        return absent(*reason)
    capabilities = kind.CAPABILITIES + (kind.CAPABILITIES_OF_ROOT if os.environ[MARK] == "root" else [])
    return {"hello": {"protocol": 1, "name": kind.NAME, "version": kind.version(), "kernel": os.uname().release,
                      "driver": kind.DRIVER, "file_system": file_system(os.environ.get("TMPDIR", "/tmp")),
                      "capabilities": capabilities}}


def absent(reason, remedy):
    return {"absent": {"reason": reason, "remedy": remedy}}


def serve(kind):
    """The conversation: a line in, a line out, until the input ends."""
    if MARK not in os.environ:
        as_root = os.geteuid() == 0
        words = ["unshare", "--mount", "--propagation=private"] + ([] if as_root else ["--user", "--map-root-user"])
        if subprocess.run(words + ["true"], input=b"", capture_output=True).returncode == 0:
            os.environ[MARK] = "root" if as_root else "user"
            os.execvp(words[0], words + [sys.executable] + sys.argv)
    state, keep = None, False
    for line in sys.stdin:
        request = json.loads(line)
        number = request.pop("id")
        ask, what = next(iter(request.items()))
        try:
            if ask == "hello":
                reply = hello(kind)
            elif ask == "begin":
                state, keep, reply = kind(what["directory"]), what["keep"], {"begun": {}}
            elif ask == "operation":
                reply = {"done": state.perform(what)}
            elif ask == "observe":
                reply = {"world": state.world()}
            elif ask == "end":
                state.end(keep)
                state, reply = None, {"ended": {}}
            else:
                raise Unsupported(f"the request {ask}")
        except Refused as error:
            reply = {"refused": error.refusal}
        except Unsupported as error:
            reply = {"unsupported": str(error)}
        except Exception as error:
            import traceback
            traceback.print_exc()
            reply = {"broken": f"{type(error).__name__}: {error}"}
        print(json.dumps({"id": number, **reply}), flush=True)
    if state:
        state.end(keep)
