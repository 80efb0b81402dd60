#!/usr/bin/env python3
"""An adapter for layerspec that drives bare directories: an image is a directory, a container is a copy of it, a
volume is another directory, and the kernel binds them together in a mount namespace of our own. No union, no daemon.

    layerspec run --engine 'process:python3 examples/adapters/directories.py' scenarios

Needs Python 3.9, util-linux and coreutils; root, or the right to make user namespaces."""

import json
import os
import re
import shutil
import sys

sys.dont_write_bytecode = True

import files
from adapter import Refused, Unsupported, serve, variant
from disks import Container, Image
from mounts import Mounts, copy


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
        if what["force"] and what["image"] not in self.images:
            return
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
        try:
            for mount in mounts:
                container.check_way(mount["target"])
                self.settle(container, mount)
        except (Refused, Unsupported):
            container.remove()
            raise
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
            container.make_working_directory()
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
            raise Refused("container-not-paused", f"{name} is not paused")
        container.state = "running"

    def do_remove(self, what):
        if what["force"] and what["container"] not in self.containers:
            return
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
            directory = container.working_directory()
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
        if "refused" in said:
            raise Refused.with_errno(said["refused"])
        return said

    def child(self, top, requests, uid, gid, directory, places, refuses_rename):
        os.chroot(top)
        try:
            os.chdir(directory)
        except OSError as error:
            return {"refused": files.errno_name(error)}
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
