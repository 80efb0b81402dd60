"""File operations by a process, and looking at trees: what layerspec calls `files` and `observe`.

Every function here sees the root directory as the container does: the caller has changed its root."""

import base64
import ctypes
import errno
import hashlib
import os
import re
import stat

from adapter import Unsupported, variant

CONTENT_MAX = 4096
UMASK = 0o022


def escaped(name):
    """A path as layerspec shows it: backslashes doubled, control characters and what is no text as \\xNN."""
    text = os.fsencode(name).decode("utf-8", "surrogateescape").replace("\\", "\\\\").replace("\n", "\\n")
    hexed = lambda found: "".join(f"\\x{byte:02x}" for byte in found.group().encode("utf-8", "surrogateescape"))
    return re.sub("[\x00-\x1f\x7f-\x9f\udc80-\udcff]", hexed, text)


def from_bytes(value):
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode()}


def to_bytes(value):
    return value.encode() if isinstance(value, str) else base64.b64decode(value["base64"])


def kind_of(path, found, with_content):
    """The type of a file in layerspec's words."""
    if stat.S_ISREG(found.st_mode):
        if not with_content:
            return {"file": {"size": found.st_size}}
        content, digest = None, None
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NOATIME)) as file:
            if found.st_size <= CONTENT_MAX:
                content = from_bytes(file.read())
            else:
                digest = hashlib.sha256(file.read()).hexdigest()
        return {"file": {"size": found.st_size, "content": content, "sha256": digest}}
    if stat.S_ISLNK(found.st_mode):
        return {"symlink": escaped(os.readlink(path))}
    if stat.S_ISCHR(found.st_mode) or stat.S_ISBLK(found.st_mode):
        kind = "char" if stat.S_ISCHR(found.st_mode) else "block"
        return {"device": {"kind": kind, "major": os.major(found.st_rdev), "minor": os.minor(found.st_rdev)}}
    return "directory" if stat.S_ISDIR(found.st_mode) else "fifo" if stat.S_ISFIFO(found.st_mode) else "socket"


def xattrs_of(path, follow=False):
    try:
        names = os.listxattr(path, follow_symlinks=follow)
    except OSError:
        return {}
    hidden = ("trusted.overlay.", "user.overlay.", "security.selinux", "security.apparmor")
    return {name: from_bytes(os.getxattr(path, name, follow_symlinks=follow))
            for name in names if not name.startswith(hidden)}


def walk(top, place_of):
    """Everything below `top`, as `observe` shows a tree. `place_of(path)` tells the storage and the path in it."""
    seen, first = [], {}

    def visit(path):
        real = top + path if path != "/" else top
        found = os.lstat(real)
        storage, inner = place_of(path, found)
        entry = {"path": escaped(path), "kind": kind_of(real, found, True), "mode": stat.S_IMODE(found.st_mode),
                 "uid": found.st_uid, "gid": found.st_gid, "xattrs": xattrs_of(real),
                 "storage": storage, "inner": escaped(inner)}
        if not stat.S_ISDIR(found.st_mode):
            original = first.setdefault((found.st_dev, found.st_ino), entry["path"])
            if original != entry["path"]:
                entry["same_file_as"] = original
        seen.append(entry)
        if stat.S_ISDIR(found.st_mode):
            for name in sorted(os.listdir(real), key=os.fsencode):
                visit(path.rstrip("/") + "/" + name)

    visit("/")
    return seen


def fill(file, content):
    """Writes the content of a node to an open file."""
    how, what = variant(content)
    if how == "bytes":
        return os.write(file, to_bytes(what))
    if what["fill"] is None:
        return os.ftruncate(file, what["size"])
    pattern = to_bytes(what["fill"])
    whole = (pattern * (what["size"] // len(pattern) + 1))[:what["size"]]
    while whole:
        whole = whole[os.write(file, whole):]


def set_attributes(path, node, follow=False):
    """Sets what a node gives; the owner first, since that clears set-ID bits, the time last."""
    if node.get("uid") is not None or node.get("gid") is not None:
        os.chown(path, *(-1 if node.get(key) is None else node[key] for key in ("uid", "gid")), follow_symlinks=follow)
    for name, value in node.get("xattrs", {}).items():
        os.setxattr(path, name, to_bytes(value), follow_symlinks=follow)
    if node.get("mode") is not None and not os.path.islink(path):
        os.chmod(path, node["mode"])
    if node.get("mtime"):
        nanos = node["mtime"]["seconds"] * 10**9 + node["mtime"]["nanos"]
        os.utime(path, ns=(os.lstat(path).st_atime_ns, nanos), follow_symlinks=follow)


def make_special(path, kind, mode):
    """A named pipe, a socket or a device."""
    name, what = variant(kind)
    types = {"fifo": stat.S_IFIFO, "socket": stat.S_IFSOCK}
    if name == "device":
        bits = stat.S_IFCHR if what["kind"] == "char" else stat.S_IFBLK
        return os.mknod(path, mode | bits, os.makedev(what["major"], what["minor"]))
    return os.mknod(path, mode | types[name])


def plant(top, tree):
    """Makes a tree with every attribute as given, nobody's permissions asked."""
    def parents(path):
        if not os.path.isdir(path):
            parents(os.path.dirname(path))
            os.mkdir(path)
            # Nothing is inherited from the directory that it is in.
            set_attributes(path, {"mode": 0o755, "uid": 0, "gid": 0})

    for entry in tree:
        path = top + entry["path"]
        name, what = variant(entry["kind"])
        if name == "directory":
            parents(path)
            set_attributes(path, {"mode": 0o755, "uid": 0, "gid": 0, **entry})
            continue
        parents(os.path.dirname(path))
        if os.path.lexists(path):
            os.unlink(path)
        if name == "hardlink":
            os.link(top + what["to"], path, follow_symlinks=False)
            continue
        if name == "file":
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
            fill(file, what)
            os.close(file)
        elif name == "symlink":
            os.symlink(what["target"], path)
        else:
            make_special(path, entry["kind"], 0o644)
        set_attributes(path, {"mode": 0o644, "uid": 0, "gid": 0, **entry})


class Process:
    """One process in a root directory of its own. Every method is a file action by its name."""

    def __init__(self, refuses_rename):
        self.refuses_rename = refuses_rename
        self.changed = []

    def note(self, path, follow=False):
        """A change of what is at a path: where that really lies."""
        parent, name = os.path.split(path.rstrip("/"))
        real = os.path.realpath(path) if follow else os.path.join(os.path.realpath(parent or "."), name)
        if real not in self.changed:
            self.changed.append(real)

    def perform(self, action):
        name, what = variant(action)
        method = getattr(self, name.replace("-", "_"), None)
        if method is None or isinstance(what.get("target"), dict) and "handle" in what["target"]:
            raise Unsupported(f"the file operation {name}, or a handle")
        if isinstance(what.get("target"), dict):
            what = {**what, "target": what["target"]["path"]}
        value = method(**what)
        return "nothing" if value is None else value

    def write(self, path, node):
        kind, what = variant(node["kind"])
        follow = kind == "directory" and os.path.isdir(path)
        if kind == "file":
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
            self.note(path, follow=True)
            fill(file, what)
            os.close(file)
            return set_attributes(path, node, follow=True)
        if kind == "directory":
            if not follow:
                os.mkdir(path)
                self.note(path)
        elif kind == "symlink":
            os.symlink(what["target"], path)
        elif kind == "hardlink":
            os.link(what["to"], path, follow_symlinks=False)
        else:
            make_special(path, node["kind"], 0o777 if kind == "socket" else 0o666)
        if not follow or any(node.get(key) for key in ("mode", "uid", "gid", "mtime", "xattrs")):
            self.note(path, follow)
        return set_attributes(path, node, follow)

    def mknod(self, path, node):
        return self.write(path, node)

    def _change(self, target, flags, change):
        file = os.open(target, flags | os.O_NONBLOCK, 0o666)
        try:
            change(file)
        finally:
            os.close(file)
        self.note(target, follow=True)

    def write_at(self, target, bytes, offset=None):
        self._change(target, os.O_WRONLY, lambda file: os.pwrite(file, to_bytes(bytes), offset or 0))

    def append(self, target, bytes):
        self._change(target, os.O_WRONLY | os.O_CREAT | os.O_APPEND, lambda file: os.write(file, to_bytes(bytes)))

    def truncate(self, target, size):
        self._change(target, os.O_WRONLY, lambda file: os.ftruncate(file, size))

    def read(self, target, offset=None, length=None):
        with open(target, "rb") as file:
            file.seek(offset or 0)
            return {"bytes": from_bytes(file.read(-1 if length is None else length))}

    def sync(self, target):
        file = os.open(target, os.O_RDONLY)
        os.fsync(file)
        os.close(file)

    def mkdir(self, path, mode=None, parents=False):
        if parents and os.path.isdir(path):
            return
        if parents and os.path.dirname(path.rstrip("/")) not in ("", "/"):
            self.mkdir(os.path.dirname(path.rstrip("/")), None, True)
        os.mkdir(path, 0o777 if mode is None else mode)
        self.note(path)

    def rmdir(self, path):
        os.rmdir(path)
        self.note(path)

    def delete(self, path, recursive=False):
        if not recursive or not os.path.isdir(path) or os.path.islink(path):
            os.unlink(path)
            return self.note(path)
        refused = None
        for name in sorted(os.listdir(path)):
            try:
                self.delete(os.path.join(path, name), True)
            except OSError as error:
                refused = refused or error
        if refused:
            raise refused
        self.rmdir(path)

    def rename(self, **names):
        old, new = names["from"], names["to"]
        if names["mode"] != "replace":
            raise Unsupported(f"renaming with {names['mode']}")
        if self.refuses_rename(os.path.realpath(old)) and not os.path.islink(old):
            raise Unsupported("renaming a directory of the image as a union does")
        self.note(old)
        os.rename(old, new)
        self.note(new)

    def link(self, **names):
        os.link(names["from"], names["to"], follow_symlinks=False)
        self.note(names["to"])

    def symlink(self, path, target):
        os.symlink(target, path)
        self.note(path)

    def readlink(self, path):
        return {"text": os.readlink(path)}

    def chmod(self, target, mode):
        os.chmod(target, mode)
        self.note(target, follow=True)

    def chown(self, target, uid=None, gid=None, follow=True):
        os.chown(target, *(-1 if owner is None else owner for owner in (uid, gid)), follow_symlinks=follow)
        self.note(target, follow)

    def touch(self, target, atime=None, mtime=None, follow=True):
        if not os.path.lexists(target):
            os.close(os.open(target, os.O_WRONLY | os.O_CREAT, 0o666))
        before = os.stat(target, follow_symlinks=follow)
        nanos = lambda time, old: time["seconds"] * 10**9 + time["nanos"] if time else old
        times = (nanos(atime, before.st_atime_ns), nanos(mtime, before.st_mtime_ns)) if atime or mtime else None
        os.utime(target, ns=times, follow_symlinks=follow) if times else os.utime(target, follow_symlinks=follow)
        self.note(target, follow)

    def set_xattr(self, target, name, value, mode):
        flags = {"any": 0, "create": os.XATTR_CREATE, "replace": os.XATTR_REPLACE}[mode]
        os.setxattr(target, name, to_bytes(value), flags)
        self.note(target, follow=True)

    def remove_xattr(self, target, name):
        os.removexattr(target, name)
        self.note(target, follow=True)

    def get_xattr(self, target, name):
        return {"bytes": from_bytes(os.getxattr(target, name))}

    def list_xattr(self, target):
        return {"names": sorted(os.listxattr(target))}

    def list(self, target):
        return {"names": sorted(os.listdir(target), key=os.fsencode)}

    def stat(self, target, follow=True):
        found = os.stat(target, follow_symlinks=follow)
        time = lambda nanos: {"seconds": nanos // 10**9, "nanos": nanos % 10**9}
        return {"stat": {"kind": kind_of(target, found, False), "mode": stat.S_IMODE(found.st_mode),
                         "uid": found.st_uid, "gid": found.st_gid, "size": found.st_size, "blocks": found.st_blocks,
                         "links": found.st_nlink, "ino": found.st_ino, "dev": found.st_dev,
                         "atime": time(found.st_atime_ns), "mtime": time(found.st_mtime_ns),
                         "xattrs": xattrs_of(target, follow)}}

    def access(self, path, mode):
        wish = os.R_OK * mode["read"] | os.W_OK * mode["write"] | os.X_OK * mode["execute"]
        # access(2) itself, which tells why.
        if LIBC.access(os.fsencode(path), wish) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))


LIBC = ctypes.CDLL(None, use_errno=True)


def errno_name(error):
    return errno.errorcode.get(error.errno, f"errno {error.errno}").replace("ENOTSUP", "EOPNOTSUPP")
