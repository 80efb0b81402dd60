"""What images and containers are here: directories, and bind mounts under one more directory."""

import errno
import os
import shutil
import stat

import files
from adapter import Refused, Unsupported, run, variant
from mounts import copy

TMPFS_OPTIONS = ("size=", "mode=", "uid=", "gid=", "ro", "rw", "noexec", "exec", "nosuid", "nodev")


def remove(path):
    """Whatever is there."""
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)


def parents(path):
    """`/a/b` and `/a` of `/a/b/c`."""
    while path.count("/") > 1:
        path = path.rpartition("/")[0]
        yield path


def lay(top, tree):
    """A layer over what is in a directory already. Gives the paths of what that took away."""
    taken = []
    for entry in tree:
        kind, what = variant(entry["kind"])
        real = top + entry["path"]
        there = os.path.isdir(real) and not os.path.islink(real)
        merges = kind == "directory" and there and not what["opaque"]
        if kind in ("whiteout", "directory") and os.path.lexists(real) and not merges or there and kind != "directory":
            remove(real)
            taken.append(entry["path"])
        if merges:
            # What the layer says of the directory replaces what was said.
            for name in files.xattrs_of(real):
                os.removexattr(real, name)
        for parent in parents(entry["path"]):
            if os.path.lexists(top + parent) and not os.path.isdir(top + parent):
                remove(top + parent)
                taken.append(parent)
    files.plant(top, [entry for entry in tree if entry["kind"] != "whiteout"])
    return taken


class Image:
    """A directory with everything that the image shows, and which layer each path of it is from."""

    def __init__(self, top, base=None):
        self.top = top
        self.layers = base.layers if base else 0
        self.origin = dict(base.origin) if base else {}
        self.config = dict(base.config) if base else {"volumes": [], "user": None, "working_dir": None}

    def configure(self, config):
        self.config["volumes"] = list(dict.fromkeys(self.config["volumes"] + config["volumes"]))
        for key in ("user", "working_dir"):
            self.config[key] = config[key] if config[key] is not None else self.config[key]

    def add(self, tree, name):
        """One more layer on top."""
        self.layers += 1
        for entry in tree:
            # No archive of a layer is unpacked with a time before 1970.
            if entry.get("mtime") and entry["mtime"]["seconds"] < 0:
                entry["mtime"] = {"seconds": 0, "nanos": 0}
        for path in lay(self.top, tree):
            self.origin = {other: value for other, value in self.origin.items() if not (other + "/").startswith(path + "/")}
        for entry in tree:
            if entry["kind"] != "whiteout":
                self.origin.update({path: (name, self.layers) for path in (entry["path"], *parents(entry["path"]))})
        self.origin["/"] = (name, self.layers)


class Container:
    """Its disk, its mounts and its state."""

    def __init__(self, spec, image, place):
        self.spec, self.image, self.place = spec, image, place
        self.view = place + "/view"
        self.state, self.exit_code = "created", None
        # All that it has, and those that are in place.
        self.mounts, self.mounted = [], []

    def make(self):
        self.top = self.place + "/tree"
        os.makedirs(self.top)
        copy(self.image.top, self.top)
        self.stamps = dict(self.stamped())

    def remove(self):
        shutil.rmtree(self.place)

    def stamped(self):
        """Every path with what tells whether it was changed since the copy was made: the kernel stamps every change."""
        for folder, names, others in os.walk(self.top):
            for name in ["", *names, *others]:
                yield os.path.join(folder, name)[len(self.top):].rstrip("/") or "/", os.lstat(os.path.join(folder, name))

    def changed(self):
        """Paths that were changed, with the directories on the way to them, and paths that are gone."""
        now = dict(self.stamped())
        stamp = lambda found: found and (found.st_ino, found.st_ctime_ns)
        changed = {path for path, found in now.items() if stamp(self.stamps.get(path)) != stamp(found)}
        return changed.union(*map(parents, changed)), self.stamps.keys() - now.keys()

    def differences(self):
        """As Docker tells them: what differs in what it compares, with the directories on the way."""
        now = dict(self.stamped())
        seen = lambda found: (found.st_mode, found.st_uid, found.st_gid, found.st_rdev) + (
            () if stat.S_ISDIR(found.st_mode) else (found.st_mtime_ns, found.st_size))
        kinds = {path: "added" if path not in self.stamps else "changed" for path, found in now.items()
                 if path not in self.stamps or seen(found) != seen(self.stamps[path])}
        gone = self.stamps.keys() - now.keys()
        kinds.update({path: "deleted" for path in gone if not gone & set(parents(path))})
        return {**{path: "changed" for path in set().union(*map(parents, kinds)) if path in now}, **kinds}

    def storage_of(self):
        """A function that tells where a path of the tree lies."""
        changed, _ = self.changed()

        def lies(path):
            if path in changed or path not in self.image.origin:
                return {"writable": {"container": self.spec["name"]}}
            name, number = self.image.origin[path]
            return {"layer": {"image": name, "number": number}}
        return lies

    def refuses_rename(self, path):
        """A union refuses to move a directory that a layer has; a bare directory cannot."""
        return path in self.stamps and os.path.isdir(path)

    def mount_at(self, path):
        """The innermost mount under a path, if there is one."""
        under = [mount for mount in self.mounted if (path + "/").startswith(mount["target"] + "/")]
        return max(under, key=lambda mount: len(mount["target"]), default=None)

    def place_of(self, path, lies):
        """Storage and path in it."""
        mount = self.mount_at(path)
        if not mount:
            return lies(path), path
        rest = path[len(mount["target"]):]
        return mount["storage"], (mount["inner"].rstrip("/") + rest) or "/"

    def assemble(self, only_look=False):
        """Binds everything together under `view`. Whoever only looks does without what cannot be mounted."""
        os.makedirs(self.view, exist_ok=True)
        run("mount", "--bind", self.top, self.view)
        self.mounted = []
        try:
            for mount in sorted(self.mounts, key=lambda mount: mount["target"].count("/")):
                try:
                    self.mount(mount, only_look)
                    self.mounted.append(mount)
                except Refused:
                    if not only_look:
                        raise
            if self.spec["read_only"]:
                run("mount", "-o", "remount,bind,ro", self.view)
        except BaseException:
            self.disassemble()
            raise

    def working_directory(self):
        return self.spec["working_dir"] or self.image.config["working_dir"] or "/"

    def make_working_directory(self):
        """Where it is missing, even in a mount. Where that cannot be, whoever wants to work there finds out."""
        path = os.path.realpath(self.view + self.working_directory())
        if (path + "/").startswith(self.view + "/"):
            try:
                os.makedirs(path, exist_ok=True)
            except OSError:
                pass

    def check_way(self, target):
        """Bare directories follow links as the host does: out of the container."""
        try:
            real = os.path.realpath(self.top + target, strict=True)
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise Unsupported("a mount target that leads in a circle")
            real = os.path.realpath(self.top + target)
        if not (real + "/").startswith(self.top + "/"):
            raise Unsupported("a mount target that leads through an absolute link")

    def mount(self, mount, only_look):
        target = os.path.realpath(self.view + mount["target"])
        if not (target + "/").startswith(self.view + "/"):
            raise Unsupported("a mount target that leads through an absolute link")
        source = mount["source"]
        if source is None and any(option and not option.startswith(TMPFS_OPTIONS) for option in mount["options"].split(",")):
            raise Refused("invalid-option", f"{mount['options']} is no option of a tmpfs")
        if source and not os.path.exists(source):
            if only_look or not mount.get("create"):
                raise Refused("mount-source-missing", f"{source} is missing")
            os.makedirs(source)
        is_directory = source is None or os.path.isdir(source)
        mode = f"mode={stat.S_IMODE(os.stat(target).st_mode):o}" if os.path.isdir(target) else ""
        try:
            if not os.path.lexists(target):
                os.makedirs(target if is_directory else os.path.dirname(target), exist_ok=True)
                if not is_directory:
                    os.close(os.open(target, os.O_CREAT, 0o755))
        except OSError as error:
            raise Refused("mount-target-failed", f"{mount['target']}: {error.strerror}")
        if os.path.isdir(target) != is_directory:
            raise Refused("mount-type-mismatch", f"{mount['target']}: a directory on a file, or a file on a directory")
        if source is None:
            # Like runc: over a directory with its mode, whatever was asked for.
            run("mount", "-t", "tmpfs", "-o", f"nosuid,nodev,noexec,{mount['options']},{mode}".rstrip(","), "tmpfs", target)
        else:
            run("mount", "--bind", source, target)
        if mount["read_only"]:
            run("mount", "-o", "remount,bind,ro", target)

    def disassemble(self):
        run("umount", "--recursive", "--lazy", self.view)

    def seen(self):
        mounts = [{key: mount[key] for key in ("target", "storage", "read_only")} for mount in self.mounts]
        return {"name": self.spec["name"], "image": self.spec["image"], "state": self.state,
                "exit_code": self.exit_code, "mounts": sorted(mounts, key=lambda mount: mount["target"])}
