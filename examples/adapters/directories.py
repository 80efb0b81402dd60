#!/usr/bin/env python3
"""An adapter for layerspec that drives bare directories: an image is a directory, a container is a copy of it, a
volume is another directory, and the kernel binds them together in a mount namespace of our own. No union, no daemon.

    layerspec run --engine 'process:python3 examples/adapters/directories.py' scenarios

Needs Python 3.9, util-linux and coreutils; root, or the right to make user namespaces."""

import json
import os
import re
import shutil
import stat
import sys

sys.dont_write_bytecode = True

import files
from adapter import Refused, Unsupported, run, serve, variant
from mounts import Mounts, copy


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

    def mount(self, mount, only_look):
        target = os.path.realpath(self.view + mount["target"])
        if not (target + "/").startswith(self.view + "/"):
            raise Unsupported("a mount target that leads through an absolute link")
        source = mount["source"]
        if source and not os.path.exists(source):
            if only_look:
                raise Refused("mount-source-missing", f"{source} is missing")
            os.makedirs(source)
        is_directory = source is None or os.path.isdir(source)
        mode = stat.S_IMODE(os.stat(target).st_mode) if os.path.isdir(target) else 0o1777
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
            # Like runc: over a directory with its mode.
            run("mount", "-t", "tmpfs", "-o", f"mode={mode:o},nosuid,nodev,noexec,{mount['options']}", "tmpfs", target)
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


class Volume:
    def __init__(self, top, which, spec):
        self.top, self.which, self.spec = top, which, spec
        os.makedirs(top)


class Directories(Mounts):
    """One scenario. Every method `do_X` is the operation X."""

    NAME, DRIVER = "directories", "copy"
    CAPABILITIES = ["xattrs", "fifos", "sparse", "tmpfs-size", "pause", "host-view", "anonymous-prune"]
    CAPABILITIES_OF_ROOT = ["owners", "security-xattrs"]
    Image, Container = Image, Container

    @staticmethod
    def version():
        return "1"

    @staticmethod
    def lacks(is_root):
        """Why it cannot be used here, and what would enable it."""

    def __init__(self, directory):
        self.directory = directory
        self.host = directory + "/host"
        os.mkdir(self.host)
        self.images, self.containers, self.volumes, self.count = {}, {}, [], 0

    def end(self, keep):
        for container in self.containers.values():
            if container.state in ("running", "paused"):
                container.disassemble()
        if not keep:
            for name in os.listdir(self.directory):
                shutil.rmtree(os.path.join(self.directory, name))

    def perform(self, operation):
        name, what = variant(operation)
        method = getattr(self, "do_" + name.replace("-", "_"), None)
        if method is None:
            raise Unsupported(f"the operation {name}")
        return method(what) or "nothing"

    def new_place(self, what):
        self.count += 1
        return f"{self.directory}/{what}-{self.count}"

    # Images

    def do_load_image(self, spec):
        if spec.get("archive") or spec.get("platform") not in (None, "linux"):
            raise Unsupported("images out of archives, and those of other platforms")
        base = self.images[spec["from"]] if spec["from"] else None
        image = self.Image(self.new_place("image"), base)
        os.makedirs(image.top)
        if base:
            copy(base.top, image.top)
        for tree in spec["layers"]:
            image.add(tree, spec["name"])
        image.configure(spec["config"])
        self.images[spec["name"]] = image

    def do_image_tag(self, what):
        self.images[what["tag"]] = self.image(what["image"])

    def do_image_remove(self, what):
        image = self.image(what["image"])
        users = [other for other in self.containers.values() if other.image is image]
        names = [name for name, other in self.images.items() if other is image]
        if len(names) == 1 and users and (not what["force"] or any(user.state == "running" for user in users)):
            raise Refused("image-in-use", f"a container uses {what['image']}")
        del self.images[what["image"]]

    def do_commit(self, what):
        container = self.container(what["container"])
        base = container.image
        image = self.Image(self.new_place("image"), base)
        os.makedirs(image.top)
        copy(container.top, image.top)
        image.layers += 1
        changed, gone = container.changed()
        image.origin = {path: value for path, value in base.origin.items() if path not in gone}
        image.origin.update({path: (what["image"], image.layers) for path in changed})
        image.configure(what["change"])
        self.images[what["image"]] = image

    def image(self, name):
        if name not in self.images:
            raise Refused("no-such-image", f"no image is called {name}")
        return self.images[name]

    # Containers

    def do_create(self, spec):
        name = spec["name"]
        if not re.fullmatch("[a-zA-Z0-9][a-zA-Z0-9_.-]+", name):
            raise Refused("invalid-name", f"{name} is no name")
        image = self.image(spec["image"])
        if name in self.containers:
            raise Refused("name-in-use", f"a container is called {name}")
        container = self.Container(spec, image, self.new_place("container"))
        mounts = self.mounts(container)
        container.make()
        for mount in mounts:
            self.settle(container, mount)
        self.containers[name] = container

    def do_run(self, spec):
        self.do_create(spec)
        self.do_start(spec["name"])

    def do_start(self, name):
        container = self.container(name)
        if container.state == "paused":
            raise Refused("container-paused", f"{name} is paused")
        if container.state != "running":
            container.assemble()
            container.state, container.exit_code = "running", None

    def do_stop(self, name, code=0):
        container = self.container(name)
        if container.state in ("running", "paused"):
            container.disassemble()
            container.state, container.exit_code = "exited", code
            if container.spec["remove_on_exit"]:
                self.do_remove({"container": name, "force": False, "volumes": True})

    def do_kill(self, name):
        if self.container(name).state not in ("running", "paused"):
            raise Refused("container-not-running", f"{name} does not run")
        self.do_stop(name, 137)

    def do_restart(self, name):
        self.do_stop(name)
        self.do_start(name)

    def do_pause(self, name):
        self.running(name).state = "paused"

    def do_unpause(self, name):
        container = self.container(name)
        if container.state != "paused":
            raise Refused("container-not-running", f"{name} is not paused")
        container.state = "running"

    def do_remove(self, what):
        container = self.container(what["container"])
        if container.state in ("running", "paused"):
            if not what["force"]:
                raise Refused(f"container-{container.state}", f"{what['container']} is {container.state}")
            container.disassemble()
        del self.containers[what["container"]]
        container.remove()
        if what["volumes"]:
            for mount in container.mounts:
                volume = mount.get("volume")
                if volume and "anonymous" in volume.which and not self.users(volume):
                    self.drop(volume)

    def do_container_prune(self, _):
        for name, container in list(self.containers.items()):
            if container.state in ("created", "exited"):
                self.do_remove({"container": name, "force": False, "volumes": False})

    def do_inspect(self, name):
        return {"container": self.container(name).seen()}

    def do_diff(self, name):
        differences = self.container(name).differences().items()
        return {"changes": [{"path": path, "kind": kind} for path, kind in sorted(differences) if path != "/"]}

    def container(self, name):
        if name not in self.containers:
            raise Refused("no-such-container", f"no container is called {name}")
        return self.containers[name]

    def running(self, name):
        container = self.container(name)
        if container.state != "running":
            kind = "container-paused" if container.state == "paused" else "container-not-running"
            raise Refused(kind, f"{name} is {container.state}")
        return container

    # Volumes

    def new_volume(self, which, spec):
        name = which.get("named")
        if name is not None and not re.fullmatch("[a-zA-Z0-9][a-zA-Z0-9_.-]+", name):
            raise Refused("invalid-name", f"{name} is no name")
        if spec.get("driver") not in (None, "local"):
            raise Refused("no-such-driver", f"no volume driver is called {spec['driver']}")
        if spec.get("driver_opts"):
            raise Unsupported("options of volume drivers")
        self.volumes.append(Volume(self.new_place("volume"), which, spec))
        return self.volumes[-1]

    def do_volume_create(self, spec):
        if spec["name"] is None:
            raise Unsupported("an anonymous volume without a container")
        if not any(volume.which == {"named": spec["name"]} for volume in self.volumes):
            self.new_volume({"named": spec["name"]}, spec)
        return {"text": spec["name"]}

    def do_volume_remove(self, what):
        if what["force"] and not any(volume.which == what["volume"] for volume in self.volumes):
            return
        volume = self.volume(what["volume"])
        if self.users(volume):
            raise Refused("volume-in-use", f"in use by {', '.join(self.users(volume))}")
        self.drop(volume)

    def do_volume_prune(self, what):
        if what["filters"]:
            raise Unsupported("filters")
        pruned = [volume for volume in self.volumes if not self.users(volume) and (what["all"] or "anonymous" in volume.which)]
        seen = [self.volume_seen(volume) for volume in pruned]
        for volume in pruned:
            self.drop(volume)
        return {"volumes": sorted(seen, key=lambda volume: (volume["volume"].get("named") is None, str(volume)))}

    def do_volume_list(self, what):
        found = [volume for volume in self.volumes]
        for test in what["filters"]:
            if test["key"] == "dangling" and test["value"] in ("true", "false"):
                found = [volume for volume in found if bool(self.users(volume)) != (test["value"] == "true")]
            elif test["key"] == "label":
                key, has_value, value = test["value"].partition("=")
                labels = lambda volume: volume.spec.get("labels", {})
                found = [volume for volume in found if key in labels(volume) and (not has_value or labels(volume)[key] == value)]
            else:
                raise Unsupported(f"the filter {test['key']}")
        return {"volumes": sorted(map(self.volume_seen, found), key=lambda volume: (volume["volume"].get("named") is None, str(volume)))}

    def do_volume_inspect(self, which):
        return {"volume": self.volume_seen(self.volume(which))}

    def volume(self, which):
        for volume in self.volumes:
            if volume.which == which:
                return volume
        raise Refused("no-such-volume", f"there is no volume {which}")

    def users(self, volume):
        return sorted(name for name, other in self.containers.items()
                      if any(mount.get("volume") is volume for mount in other.mounts))

    def drop(self, volume):
        self.volumes.remove(volume)
        shutil.rmtree(volume.top)

    def volume_seen(self, volume):
        return {"volume": volume.which, "driver": "local", "labels": volume.spec.get("labels", {}), "options": {},
                "used_by": self.users(volume)}

    # Files

    def do_plant(self, what):
        place, tree = what
        files.plant(self.host if place == "host" else self.volume(place["volume"]).top, tree)

    def do_files(self, what):
        kind, which = variant(what["place"])
        if kind == "container":
            container = self.running(which)
            user = what["user"] or container.spec["user"] or container.image.config["user"]
            directory = container.spec["working_dir"] or container.image.config["working_dir"] or "/"
            lies = lambda path: {"writable": {"container": which}}
            places = lambda path: container.place_of(path, lies)
            return self.act(container.view, what, user, directory, places, container.refuses_rename)
        volume = self.volume(which) if kind == "volume" else None
        storage = {"volume": which} if volume else "host"
        return self.act(volume.top if volume else self.host, what, what["user"], "/", lambda path: (storage, path))

    def act(self, top, what, user, directory, places, refuses_rename=lambda path: False):
        """File actions by a process with its own root and user. What it has to say comes through a pipe."""
        uid, gid = self.credentials(user)
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                said = self.child(top, what["requests"], uid, gid, directory, places, refuses_rename)
            except Unsupported as error:
                said = {"unsupported": str(error)}
            except BaseException as error:
                said = {"broken": f"{type(error).__name__}: {error}"}
            with open(writer, "w") as pipe:
                json.dump(said, pipe)
            os._exit(0)
        os.close(writer)
        with open(reader) as pipe:
            said = pipe.read()
        os.waitpid(child, 0)
        said = json.loads(said or '{"broken": "the process died"}')
        if "unsupported" in said:
            raise Unsupported(said["unsupported"])
        if "broken" in said:
            raise RuntimeError(said["broken"])
        return said

    def child(self, top, requests, uid, gid, directory, places, refuses_rename):
        os.chroot(top)
        os.chdir(directory)
        os.umask(files.UMASK)
        if uid or gid:
            os.setgroups([])
            os.setresgid(gid, gid, gid)
            os.setresuid(uid, uid, uid)
        process, answers = files.Process(refuses_rename), []
        for request in requests:
            process.changed = []
            try:
                result = {"done": process.perform(request["action"])}
            except OSError as error:
                name = files.errno_name(error)
                result = {"refused": {"code": {"errno": name}, "message": name}}
            changed = [[storage, files.escaped(inner)] for storage, inner in map(places, process.changed)]
            answers.append({"result": result, "changed": changed})
            if "refused" in result and request["stop_on_refusal"]:
                break
        return {"files": answers}

    def credentials(self, user):
        uid, _, gid = (user or "0").partition(":")
        if not uid.isdigit() or gid and not gid.isdigit():
            raise Unsupported("users by name")
        return int(uid), int(gid or 0)

    # Looking

    def world(self):
        return {"containers": [[container.seen(), self.look(container)] for container in self.containers.values()],
                "volumes": [[self.volume_seen(volume),
                             files.walk(volume.top, lambda path, _, volume=volume: ({"volume": volume.which}, path))]
                            for volume in self.volumes],
                "host": files.walk(self.host, lambda path, _: ("host", path)),
                "images": sorted(self.images)}

    def look(self, container):
        """What the container's processes see, or would see if it ran."""
        runs = container.state in ("running", "paused")
        lies = container.storage_of()
        if not runs:
            container.assemble(only_look=True)
        try:
            return files.walk(container.view, lambda path, _: container.place_of(path, lies))
        finally:
            if not runs:
                container.disassemble()


if __name__ == "__main__":
    serve(Directories)
